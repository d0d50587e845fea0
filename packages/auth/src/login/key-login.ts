import { AuthError } from '../auth-error.ts';
import type { LoginKeeper } from '../login-keeper.ts';

/** Stores an API key. It is not tried. Rejects with AuthError, or the reason of the signal. */
export async function logInWithKey(
  keeper: LoginKeeper,
  text: string,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const key = text.trim();
  if (key === '')
    throw new AuthError('login-failed', 'the key is empty; pipe it in: printenv KEY | quire login --with-api-key');
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new AuthError('unusable-key', 'the key holds spaces, line ends or other characters that can not be sent');
  }
  await keeper.save({ kind: 'api-key', key }, options);
}
