import { AuthError } from '../auth-error.ts';
import type { LoginStore } from './login-store.ts';

/** The keyring where there is one, else the file. */
export function createAutoStore({
  keyring,
  file,
}: {
  readonly keyring: LoginStore;
  readonly file: LoginStore;
}): LoginStore {
  let isInKeyring = false;
  const read: LoginStore['read'] = async (options) => {
    const stored = await keyring.read(options).catch((error: unknown) => {
      if (isKeyringFailure(error)) return undefined;
      throw error;
    });
    isInKeyring = stored !== undefined;
    return stored ?? (await file.read(options));
  };
  return {
    place: file.place,
    read,
    // A keyring that was locked meanwhile does not mean that nobody is logged in.
    readAgain: async (options) => (isInKeyring ? ((await keyring.read(options)) ?? file.read(options)) : read(options)),
    takeUp: async () => file.takeUp?.(),
    probe: () => keyring.probe().catch(() => file.probe()),
    write: async (document) => {
      try {
        await keyring.write(document);
      } catch (error) {
        if (!isKeyringFailure(error)) throw error;
        await file.write(document);
      }
    },
    remove: async () => {
      try {
        return await keyring.remove();
      } catch (error) {
        if (!isKeyringFailure(error)) throw error;
        return await file.remove();
      }
    },
  };
}

function isKeyringFailure(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'keyring';
}
