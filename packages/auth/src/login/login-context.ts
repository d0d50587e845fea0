import type { Dialer } from '@quire/network';
import type { LoginKeeper } from '../login-keeper.ts';
import type { ClientIdentity } from '../post.ts';

/** What every way of logging in needs. */
export interface LoginContext {
  /** Stores the new login. */
  readonly keeper: LoginKeeper;
  readonly dialer: Dialer;
  readonly client: ClientIdentity | undefined;
  /** Default: that of the service. Without a slash at its end. */
  readonly issuer?: string;
  /** Of which the login must be. Absent: any. */
  readonly workspaces: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Something that does not keep the login from working. Must not throw. */
  readonly onWarning: (message: string) => void;
  readonly signal: AbortSignal;
}
