/**
 * Why there is no connection.
 *
 * - `dns`: the name of the target can not be resolved.
 * - `tcp`: the target refuses or ends the connection, or does not speak HTTP.
 * - `tls`: its certificate is not trusted, or it does not speak TLS.
 * - `proxy`: the proxy can not be reached, does not answer or refuses; `status` tells its answer.
 * - `timeout`: the target does not answer in time.
 * - `configuration`: a variable holds something that can not be used; nothing was sent.
 */
export type NetworkErrorCode = 'dns' | 'tcp' | 'tls' | 'proxy' | 'timeout' | 'configuration';

export interface NetworkErrorDetails {
  readonly host: string;
  readonly port: number;
  /** `host:port` of the proxy in between. */
  readonly proxy?: string | undefined;
  /** Whether the same attempt may succeed a little later. */
  readonly retryable: boolean;
  /** The system's or the TLS library's code, such as `ECONNREFUSED`. */
  readonly reason?: string | undefined;
  /** What a proxy answered: an HTTP status, or the reply code of SOCKS. */
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/** A connection that could not be made. Messages name host, port, variable and remedy, never a credential. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly code: NetworkErrorCode;
  /** Where the connection was going; empty when that was not clear yet. */
  readonly host: string;
  readonly port: number;
  readonly proxy: string | undefined;
  readonly retryable: boolean;
  readonly reason: string | undefined;
  readonly status: number | undefined;

  constructor(code: NetworkErrorCode, message: string, details: NetworkErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.host = details.host;
    this.port = details.port;
    this.proxy = details.proxy;
    this.retryable = details.retryable;
    this.reason = details.reason;
    this.status = details.status;
  }
}
