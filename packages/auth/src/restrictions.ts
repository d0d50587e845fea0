import { AuthError } from './auth-error.ts';
import { accountOf, type Login } from './credentials/login.ts';
import type { LoginKeeper } from './login-keeper.ts';

/** What the configuration allows. Source: `forced_login_method`, `forced_chatgpt_workspace_id`. */
export interface LoginRestrictions {
  /** `api`: only keys. `chatgpt`: only logins of people, or of a host program. */
  readonly method: 'api' | 'chatgpt' | undefined;
  /** One of these. Keys belong to none and are not asked. */
  readonly workspaces: readonly string[] | undefined;
}

/** Why a login is not allowed: one sentence, or `undefined`. */
export function forbiddenReason(login: Login, { method, workspaces }: LoginRestrictions): string | undefined {
  if (login.kind === 'api-key') {
    return method === 'chatgpt' ? 'forced_login_method allows only ChatGPT logins, not API keys' : undefined;
  }
  if (method === 'api') return 'forced_login_method allows only API keys, not ChatGPT logins';
  if (workspaces === undefined) return undefined;
  const accountId = claimedWorkspace(login);
  if (accountId !== undefined && workspaces.includes(accountId)) return undefined;
  return 'forced_chatgpt_workspace_id allows only other workspaces than that of this login';
}

/** Of the ID token, which the service vouches for; of a host, what it said. */
function claimedWorkspace(login: Exclude<Login, { readonly kind: 'api-key' }>): string | undefined {
  if (login.kind === 'chatgpt-host') return login.accountId;
  if (login.kind === 'access-token') return login.owner.accountId;
  return accountOf({ ...login, accountId: undefined })?.accountId;
}

/**
 * Before anything begins: a login that the configuration does not allow is taken away. Rejects with AuthError
 * 'forbidden' then.
 * @param key the one from the environment, where it counts
 */
export async function enforceRestrictions(
  keeper: LoginKeeper,
  restrictions: LoginRestrictions,
  options: { readonly key: string | undefined; readonly signal: AbortSignal },
): Promise<void> {
  if (restrictions.method === undefined && restrictions.workspaces === undefined) return;
  const { key, signal } = options;
  const login: Login | undefined = key === undefined ? await keeper.read({ signal }) : { kind: 'api-key', key };
  const reason = login === undefined ? undefined : forbiddenReason(login, restrictions);
  if (reason === undefined) return;
  await keeper.remove({ signal });
  throw new AuthError('forbidden', `${reason}; the stored login was removed`);
}
