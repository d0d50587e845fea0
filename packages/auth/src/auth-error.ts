export type AuthErrorCode =
  /** The provider wants credentials and there are none. */
  | 'no-credentials'
  /** A variable that the provider's configuration names is not set. */
  | 'missing-variable'
  /** A key holds characters that no HTTP header can carry. */
  | 'unusable-key'
  /** The program that prints the token of a provider does not. */
  | 'token-command'
  /** `auth.json` exists but can not be read. */
  | 'unreadable-file'
  /** `auth.json` is there and empty. */
  | 'empty-file'
  /** The stored credentials were read but are not what they should be. */
  | 'malformed-file'
  /** The credentials can not be written, or not taken away. */
  | 'not-writable'
  /** Another process is changing the credentials and does not come to an end. */
  | 'in-use'
  /** The system's keyring can not be used. */
  | 'keyring'
  /** The tokens are those of the program that runs this one, so nobody logs in here. */
  | 'host-owned'
  /** The configuration forbids this kind of login, or this workspace. */
  | 'forbidden'
  /** A login was not completed: refused, cancelled, given up. */
  | 'login-failed'
  /** The server offers no login by device code. */
  | 'no-device-login'
  /** No port is free for the browser to come back to. */
  | 'port-in-use';

/** Why there are no usable credentials. The message says what to do; it never holds a token. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;

  constructor(code: AuthErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
