import { AuthError } from '../auth-error.ts';
import type { ChatgptLogin } from '../credentials/login.ts';
import { forbiddenReason } from '../restrictions.ts';
import { revokeToken } from './log-out.ts';
import type { LoginContext } from './login-context.ts';

/** Throws AuthError 'forbidden' when the configuration does not allow this login. */
export function requireAllowed(context: LoginContext, login: ChatgptLogin): void {
  const reason = forbiddenReason(login, { method: undefined, workspaces: context.workspaces });
  if (reason !== undefined) throw new AuthError('forbidden', `${reason}; nothing was stored`);
}

/**
 * Stores a new login, and has the one before it revoked. Rejects with AuthError, or the reason of the signal, only as long
 * as it is not stored.
 */
export async function storeLogin(
  context: LoginContext,
  login: ChatgptLogin,
  options: {
    readonly exchangedKey: string | undefined;
    /** Called synchronously as soon as it is stored; must not throw. */
    readonly onStored?: () => void;
  },
): Promise<void> {
  const { keeper, signal } = context;
  // What can not be read can not be revoked either.
  const before = await keeper.readStored({ signal }).catch(() => undefined);
  signal.throwIfAborted();
  await keeper.save(login, { exchangedKey: options.exchangedKey, signal });
  options.onStored?.();
  if (before?.kind !== 'chatgpt' || before.refreshToken === login.refreshToken) return;
  const problem = await revokeToken(before, context).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return 'it was interrupted';
  });
  if (problem !== undefined) context.onWarning(`the login before this one could not be revoked: ${problem}`);
}
