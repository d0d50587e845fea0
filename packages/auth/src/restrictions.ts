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
 * Before anything begins: what the configuration does not allow is refused, and a stored login is taken away then. What
 * is given in other ways is not ours to remove, and does not cost the stored login. Rejects with AuthError 'forbidden'.
 * @param key the one that goes before every login, where it counts; `name` is where it comes from
 */
export async function enforceRestrictions(
  keeper: LoginKeeper,
  restrictions: LoginRestrictions,
  options: { readonly key: { readonly text: string; readonly name: string } | undefined; readonly signal: AbortSignal },
): Promise<void> {
  if (restrictions.method === undefined && restrictions.workspaces === undefined) return;
  const { key, signal } = options;
  if (key !== undefined) {
    const reason = forbiddenReason({ kind: 'api-key', key: key.text }, restrictions);
    if (reason !== undefined) throw new AuthError('forbidden', `${reason}; ${leaveAway(key.name)}`);
    return;
  }
  const judge = async (): Promise<string | undefined> => {
    const login = await keeper.read({ signal });
    return login === undefined ? undefined : forbiddenReason(login, restrictions);
  };
  const reason = await judge();
  if (reason === undefined) return;
  const { source } = keeper;
  if (source !== 'store') {
    const what = source === 'host' ? 'the tokens of this program can not be used' : leaveAway(source.variable);
    throw new AuthError('forbidden', `${reason}; ${what}`);
  }
  // Another one may have been stored since it was read.
  keeper.forget();
  const reasonNow = await judge();
  if (reasonNow === undefined) return;
  await keeper.remove({ signal });
  throw new AuthError('forbidden', `${reasonNow}; the stored login was removed`);
}

function leaveAway(name: string): string {
  return `check ${name}, or leave it away`;
}
