import { type Dialer, NetworkError } from '@quire/network';
import { AuthError } from '../auth-error.ts';
import type { ChatgptLogin, StoredLogin } from '../credentials/login.ts';
import { CLIENT_ID, type Environment, revokeUrl } from '../endpoints.ts';
import type { LoginKeeper } from '../login-keeper.ts';
import { type ClientIdentity, post } from '../post.ts';

/** Source: peer 0.169. */
const TIMEOUT_MS = 10_000;

export interface RevocationContext {
  readonly dialer: Dialer;
  readonly client: ClientIdentity | undefined;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

/** Tells the server that a login is over. What went wrong, or `undefined`. Rejects only with the reason of the signal. */
export async function revokeToken(login: ChatgptLogin, context: RevocationContext): Promise<string | undefined> {
  const { dialer, client, environment, signal } = context;
  const body: Readonly<Record<string, string>> =
    login.refreshToken === ''
      ? { token: login.accessToken, token_type_hint: 'access_token' }
      : { token: login.refreshToken, token_type_hint: 'refresh_token', client_id: CLIENT_ID };
  try {
    const url = revokeUrl(environment);
    const { status } = await post(url, { dialer, client, signal, body, timeoutMs: TIMEOUT_MS });
    return status >= 200 && status <= 299 ? undefined : `${url.host} answered with status ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NetworkError || error instanceof AuthError) return error.message;
    throw error;
  }
}

export interface LoggedOut {
  /** Whether there was something to take away. */
  readonly removed: boolean;
  /** Why the server may not know of it. */
  readonly revocationProblem: string | undefined;
}

/** Revokes the login and takes it away. A revocation that fails is no reason to keep it. Rejects with AuthError. */
export async function logOut(keeper: LoginKeeper, context: RevocationContext): Promise<LoggedOut> {
  const { signal } = context;
  let login: StoredLogin | undefined;
  try {
    login = await keeper.readStored({ signal });
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    // It can not be understood; it is taken away all the same.
  }
  const revocationProblem = login?.kind === 'chatgpt' ? await revokeToken(login, context) : undefined;
  return { removed: await keeper.remove({ signal }), revocationProblem };
}
