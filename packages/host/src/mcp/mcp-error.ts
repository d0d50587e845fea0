export type McpErrorCode =
  /** The program could not be started, or the address not be reached. */
  | 'start-failed'
  | 'startup-timeout'
  | 'tool-timeout'
  /** It ended, or closed the connection. */
  | 'ended'
  /** It said more than the limits allow. */
  | 'flood'
  /** It answered with an error, or with something that is no answer. */
  | 'bad-answer'
  | 'login-needed'
  | 'login-failed'
  /** The server does not know the session any more. */
  | 'session-lost'
  /** The configuration names an environment variable that is not set. */
  | 'missing-variable'
  | 'credentials-file'
  | 'closed';

/** Something about an MCP server; the message names it, says what happened and what to do. */
export class McpError extends Error {
  override readonly name = 'McpError';
  readonly code: McpErrorCode;

  constructor(code: McpErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
