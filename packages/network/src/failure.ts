import { NetworkError, type NetworkErrorCode } from './network-error.ts';
import { parseTarget, type Target } from './target.ts';

/** Which part of the way an error belongs to. */
export interface FailurePlace {
  readonly target: Target;
  /** `host:port` of the proxy in between. */
  readonly proxy: string | undefined;
  /** The connection to the proxy itself, not what goes through it. */
  readonly atProxy: boolean;
}

const DNS_CODES: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_FAIL', 'ENODATA']);
const CERTIFICATE_CODES =
  /^(CERT_|ERR_TLS_CERT|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CRL_|ERROR_IN_CERT|ERROR_IN_CRL|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_)/;
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$)/;
/** The name is fine and the authority known: another bundle of authorities would not help. */
const NOT_AN_AUTHORITY: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
]);

/** What `node:net`, `node:tls` and `node:http` report of a connection, as a typed error with a remedy. */
export function networkFailure(error: unknown, place: FailurePlace): NetworkError {
  if (error instanceof NetworkError) return error;
  const reason = systemCode(error) ?? 'unknown error';
  const make = (code: NetworkErrorCode, message: string, options = { retryable: true }): NetworkError =>
    new NetworkError(code, message, {
      host: place.target.host,
      port: place.target.port,
      proxy: place.proxy,
      reason,
      retryable: options.retryable,
      cause: error,
    });
  const host = place.atProxy ? `the proxy ${place.proxy}` : place.target.authority;
  if (CERTIFICATE_CODES.test(reason)) {
    // The same certificate comes again: repeating can not help.
    return make('tls', certificateMessage(host, reason), { retryable: false });
  }
  if (TLS_CODES.test(reason)) {
    const scheme = place.atProxy ? 'that it is an https proxy' : 'that it serves https and not http';
    return make('tls', `no TLS connection to ${host} (${reason}); check ${scheme}`, { retryable: false });
  }
  if (place.atProxy) {
    return make('proxy', `cannot use ${host} (${reason}); check HTTP_PROXY, HTTPS_PROXY and NO_PROXY`);
  }
  if (DNS_CODES.has(reason)) return make('dns', `cannot resolve the host name of ${host} (${reason})`);
  switch (reason) {
    case 'ECONNREFUSED':
      return make('tcp', `nothing accepts connections at ${host} (${reason})`);
    case 'ECONNRESET':
    case 'EPIPE':
      return make('tcp', `${host} closed the connection before it answered (${reason})`);
    case 'ETIMEDOUT':
      return make('timeout', `${host} can not be reached in time (${reason})`);
    default:
      if (reason.startsWith('HPE_')) return make('tcp', `${host} does not answer in HTTP (${reason})`);
      return make('tcp', `cannot connect to ${host} (${reason})`);
  }
}

function certificateMessage(host: string, reason: string): string {
  const what = `the TLS certificate of ${host} is not trusted (${reason})`;
  if (NOT_AN_AUTHORITY.has(reason)) return `${what}; whoever runs it must renew or correct it`;
  return `${what}; if an organisation's own authority signed it, name its file in CODEX_CA_CERTIFICATE`;
}

/** The system's code; of several tried addresses, the first one's. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? systemCode(error.errors[0]) : undefined;
}

/**
 * For errors that a connection to `url` reported after `Dialer.connect` had given it out, for instance to a
 * WebSocket library. Those of a request come typed from `Route.toNetworkError`.
 */
export function toNetworkError(error: unknown, url: URL): NetworkError {
  return networkFailure(error, { target: parseTarget(url), proxy: undefined, atProxy: false });
}
