export { AuthError, type AuthErrorCode } from './auth-error.ts';
export { CommandTokens, type CommandTokensOptions, type TokenCommandEnd } from './command-tokens.ts';
export {
  type AccessTokenLogin,
  type Account,
  type ApiKeyLogin,
  accountOf,
  type ChatgptLogin,
  credentialsOf,
  type HostLogin,
  type Login,
  maskKey,
  type StoredLogin,
  secretsOf,
  type WireAuthMode,
  wireAuthMode,
} from './credentials/login.ts';
export {
  type CredentialsSource,
  type CredentialsSourceOptions,
  createCredentialsSource,
} from './credentials-source.ts';
export type { BrowserLoginOptions } from './login/browser-login.ts';
export type { DeviceLoginOptions, DevicePrompt } from './login/device-login.ts';
export { type Logins, loadLogins } from './login/load-logins.ts';
export type { LoggedOut, RevocationContext } from './login/log-out.ts';
export type { LoginContext } from './login/login-context.ts';
export {
  LoginKeeper,
  type LoginKeeperOptions,
  type LoginLog,
  type LoginRecoveryStep,
  type RefreshReason,
} from './login-keeper.ts';
export type { ClientIdentity } from './post.ts';
export { accessEndsAtMs } from './refresh/expiry.ts';
export { enforceRestrictions, forbiddenReason, type LoginRestrictions } from './restrictions.ts';
export { authFileWarning } from './storage/file-store.ts';
export type { StoreKind } from './storage/login-store.ts';
export type { HostTokens, TokenHost } from './token-host.ts';
