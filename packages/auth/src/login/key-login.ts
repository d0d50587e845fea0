import { identifyAccessToken } from '../access-token.ts';
import { AuthError } from '../auth-error.ts';
import type { AccessTokenLogin } from '../credentials/login.ts';
import type { LoginKeeper } from '../login-keeper.ts';
import { forbiddenReason } from '../restrictions.ts';
import type { LoginContext } from './login-context.ts';

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

/** Stores a personal access token, once the service has told whose it is. Rejects with AuthError, or the reason of the signal. */
export async function logInWithAccessToken(
  text: string,
  context: Pick<LoginContext, 'keeper' | 'client' | 'environment' | 'workspaces' | 'signal'>,
): Promise<AccessTokenLogin> {
  const { keeper, client, environment, workspaces, signal } = context;
  const login = await identifyAccessToken(text.trim(), { source: 'stdin', client, environment, signal });
  const reason = forbiddenReason(login, { method: undefined, workspaces });
  if (reason !== undefined) throw new AuthError('forbidden', `${reason}; nothing was stored`);
  await keeper.save(login, { signal });
  return login;
}
