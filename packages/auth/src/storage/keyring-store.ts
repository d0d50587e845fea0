import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { untilAborted } from '@quire/network';
import type { JsonObject } from '@quire/protocol';
import { AuthError } from '../auth-error.ts';
import { parseAuthDocument } from '../credentials/auth-document.ts';
import type { LoginStore } from './login-store.ts';

/** One secret of the system's keyring. Each call may throw or reject with anything. */
export interface KeyringEntry {
  read(options: { readonly signal: AbortSignal }): Promise<string | null | undefined>;
  write(secret: string): Promise<void>;
  remove(): Promise<boolean>;
}

export type OpenKeyringEntry = (service: string, account: string) => Promise<KeyringEntry>;

export interface KeyringStoreOptions {
  readonly home: string;
  /** Goes away when something is stored in the keyring, so that there is one place. */
  readonly file: LoginStore;
  readonly openEntry?: OpenKeyringEntry;
}

/** Source: names of the peer 0.169. */
const SERVICE = 'Codex Auth';

/** A keyring that asks a person for its password does not do so for ever. */
const TIMEOUT_MS = 60_000;

const PLACE = { name: "the login in the system's keyring", remedy: 'remove it with quire logout, then log in again' };

/** The keyring of the system. Errors are AuthError 'keyring'; where no keyring runs every call is one. */
export function createKeyringStore({ home, file, openEntry = openSystemEntry }: KeyringStoreOptions): LoginStore {
  const use = async <Value>(work: (entry: KeyringEntry) => Promise<Value>, signal?: AbortSignal): Promise<Value> => {
    try {
      return await withinTime(openEntry(SERVICE, await keyringAccount(home)).then(work), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof AuthError ? error : keyringError(error);
    }
  };
  return {
    place: PLACE,
    read: async ({ signal }) => {
      const text = await use((entry) => entry.read({ signal }), signal);
      return text === null || text === undefined ? undefined : parseAuthDocument(text, PLACE);
    },
    probe: () => use(async (entry) => void (await entry.read({ signal: AbortSignal.timeout(TIMEOUT_MS) }))),
    write: async (document: JsonObject) => {
      await use((entry) => entry.write(JSON.stringify(document)));
      // The keyring counts from here on; what can not be understood or removed only lies there.
      const { requireUnderstood } = await import('./require-understood.ts');
      await requireUnderstood(file, { signal: AbortSignal.timeout(TIMEOUT_MS) })
        .then(() => file.remove())
        .catch(() => false);
    },
    remove: async () => {
      const removed = await use((entry) => entry.remove());
      return (await file.remove()) || removed;
    },
  };
}

/** The name of the entry: one for each home folder. Source: names of the peer 0.169. */
export async function keyringAccount(home: string): Promise<string> {
  const path = await realpath(home).catch(() => home);
  return `cli|${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
}

const openSystemEntry: OpenKeyringEntry = async (service, account) => {
  const { AsyncEntry } = await import('@napi-rs/keyring');
  // Left to itself the binding falls back to a keyring of the kernel, which forgets everything with the next start.
  const entry = new AsyncEntry(service, account, { linux: { store: 'secret-service' } });
  return {
    read: ({ signal }) => entry.getPassword(signal),
    write: (secret) => entry.setPassword(secret),
    remove: () => entry.deleteCredential(),
  };
};

async function withinTime<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return await untilAborted(work, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
}

function keyringError(cause: unknown): AuthError {
  return new AuthError(
    'keyring',
    'the system\'s keyring can not be used; unlock or start it, or set cli_auth_credentials_store to "file" or "auto"',
    { cause },
  );
}
