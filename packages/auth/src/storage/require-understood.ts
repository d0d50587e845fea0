import { AuthError } from '../auth-error.ts';
import { loginOf } from '../credentials/auth-document.ts';
import type { LoginStore } from './login-store.ts';

/**
 * Before what is stored is replaced. Rejects with the AuthError that reading it would, when it is something that is not
 * understood, or with the reason of the signal. An empty file holds nothing that could be lost.
 */
export async function requireUnderstood(
  store: LoginStore,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  try {
    const document = await store.read({ signal });
    if (document !== undefined) loginOf(document, store.place);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    if (error.code === 'empty-file') return;
    throw new AuthError(error.code, `nothing was stored: ${error.message}`, { cause: error });
  }
}
