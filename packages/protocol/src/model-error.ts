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

/** Which part of the line to the provider failed. */
export type TransportFailure =
  | { readonly kind: 'dns' | 'tcp' | 'tls' | 'proxy' | 'connect-timeout' }
  /** The upgrade to WebSocket was answered with this status. */
  | { readonly kind: 'upgrade-status'; readonly status: number }
  /** The answer to the upgrade is not a WebSocket handshake. */
  | { readonly kind: 'upgrade-protocol' }
  /** The server closed the WebSocket with this code. */
  | { readonly kind: 'close-code'; readonly closeCode: number }
  /** The connection broke without a close frame. */
  | { readonly kind: 'reset' }
  /** Pings were not answered. */
  | { readonly kind: 'dead-peer' }
  /** No event for too long, though the peer is alive. */
  | { readonly kind: 'silence' }
  /** A frame that the protocol does not allow. */
  | { readonly kind: 'bad-frame' }
  /** An error event on the WebSocket. */
  | { readonly kind: 'in-band'; readonly status: number | undefined; readonly code: string | undefined };

export interface ModelErrorDetails {
  readonly retryable: boolean;
  /** Delay asked for by the server, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly httpStatus?: number | undefined;
  /** `x-request-id` (or its alternates) of the response that failed. */
  readonly requestId?: string | undefined;
  /** Unix seconds at which an exhausted limit opens again, when the server said so. */
  readonly resetsAtSeconds?: number | undefined;
  /** Absent: the line was fine, or it is not known to be at fault. */
  readonly transportFailure?: TransportFailure | undefined;
  /** 0-based place in the request's input of the item that the server refused, when it named one. */
  readonly rejectedInputIndex?: number | undefined;
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
  readonly transportFailure: TransportFailure | undefined;
  readonly rejectedInputIndex: number | undefined;

  constructor(code: ModelErrorCode, message: string, details: ModelErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable;
    this.retryAfterMs = details.retryAfterMs;
    this.httpStatus = details.httpStatus;
    this.requestId = details.requestId;
    this.resetsAtSeconds = details.resetsAtSeconds;
    this.transportFailure = details.transportFailure;
    this.rejectedInputIndex = details.rejectedInputIndex;
  }
}
