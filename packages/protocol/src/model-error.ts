export type ModelErrorCode =
  | 'context-window-exceeded'
  | 'quota-exceeded'
  | 'usage-limit-reached'
  | 'usage-not-included'
  | 'invalid-request'
  | 'invalid-image'
  | 'policy'
  | 'overloaded'
  | 'rate-limited'
  | 'retry-limit'
  | 'internal-server-error'
  | 'unauthorized'
  | 'unexpected-status'
  | 'response-failed'
  | 'response-incomplete'
  | 'stream-truncated'
  | 'stream-protocol'
  | 'idle-timeout'
  | 'request-timeout'
  | 'connection-failed'
  | 'dns'
  | 'tls'
  | 'proxy'
  | 'configuration';

export interface ModelErrorDetails {
  readonly retryable: boolean;
  /** Delay asked for by the server, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly httpStatus?: number | undefined;
  /** `x-request-id` (or its alternates) of the response that failed. */
  readonly requestId?: string | undefined;
  /** Unix seconds at which an exhausted limit opens again, when the server said so. */
  readonly resetsAtSeconds?: number | undefined;
  readonly cause?: unknown;
}

/**
 * Why a sampling request failed. `retryable` was decided where status and headers were in hand; nobody
 * downstream reads the message to find out. Messages never hold tokens, headers or whole bodies.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly httpStatus: number | undefined;
  readonly requestId: string | undefined;
  readonly resetsAtSeconds: number | undefined;

  constructor(code: ModelErrorCode, message: string, details: ModelErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable;
    this.retryAfterMs = details.retryAfterMs;
    this.httpStatus = details.httpStatus;
    this.requestId = details.requestId;
    this.resetsAtSeconds = details.resetsAtSeconds;
  }
}
