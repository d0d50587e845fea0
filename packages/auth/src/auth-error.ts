export type AuthErrorCode =
  /** The provider wants credentials and there are none. */
  | 'no-credentials'
  /** A variable that the provider's configuration names is not set. */
  | 'missing-variable'
  /** A key holds characters that no HTTP header can carry. */
  | 'unusable-key'
  /** `auth.json` exists but can not be read. */
  | 'unreadable-file'
  /** `auth.json` was read but is not what it should be. */
  | 'malformed-file';

/** Why there are no usable credentials. The message says what to do; it never holds a token. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;

  constructor(code: AuthErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
