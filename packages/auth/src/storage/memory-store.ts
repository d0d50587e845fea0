import type { JsonObject } from '@quire/protocol';
import type { LoginStore } from './login-store.ts';

/** Forgets everything with the process. */
export function createMemoryStore(): LoginStore {
  let kept: JsonObject | undefined;
  return {
    place: { name: 'the login in memory', remedy: 'log in again' },
    read: async ({ signal }) => {
      signal.throwIfAborted();
      return kept;
    },
    probe: async () => undefined,
    write: async (document) => {
      kept = document;
    },
    remove: async () => {
      const wasThere = kept !== undefined;
      kept = undefined;
      return wasThere;
    },
  };
}
