import { createFileStore } from './file-store.ts';
import type { LoginStore, StoreKind } from './login-store.ts';
import { createMemoryStore } from './memory-store.ts';

/** The store that the configuration asks for. What a keyring needs is loaded when it is used. */
export async function openLoginStore(kind: StoreKind, home: string): Promise<LoginStore> {
  switch (kind) {
    case 'file':
      return createFileStore(home);
    case 'ephemeral':
      return createMemoryStore();
    case 'keyring': {
      const { createKeyringStore } = await import('./keyring-store.ts');
      return createKeyringStore({ home, file: createFileStore(home) });
    }
    case 'auto': {
      const [{ createAutoStore }, { createKeyringStore }] = await Promise.all([
        import('./auto-store.ts'),
        import('./keyring-store.ts'),
      ]);
      const file = createFileStore(home);
      return createAutoStore({ keyring: createKeyringStore({ home, file }), file });
    }
  }
}
