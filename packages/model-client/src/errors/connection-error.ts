import { ModelError, type ModelErrorCode } from '@quire/protocol';

/** Where a connection was going. */
export interface ConnectionTarget {
  readonly url: URL;
  /** `host:port` of the proxy in between. */
  readonly proxy: string | undefined;
}

/** `host:port`, the port also when it is the scheme's own. */
export function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port}`;
}

const DNS_CODES: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_FAIL', 'ENODATA']);
const CERTIFICATE_CODES =
  /^(CERT_|ERR_TLS_CERT|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CRL_|ERROR_IN_CERT|ERROR_IN_CRL|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_)/;
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$)/;

/** What `node:http(s)` reported before a response arrived, as a typed error with a remedy. */
export function connectionError(error: unknown, target: ConnectionTarget): ModelError {
  if (error instanceof ModelError) return error;
  const code = systemCode(error) ?? 'unknown error';
  const { proxy } = target;
  const certificate = CERTIFICATE_CODES.test(code);
  if (proxy !== undefined && !certificate && !TLS_CODES.test(code)) {
    return make('proxy', `cannot use the proxy ${proxy} (${code}); check HTTP_PROXY, HTTPS_PROXY and NO_PROXY`, error);
  }
  const host = hostAndPort(target.url);
  if (certificate) {
    const message = `the TLS certificate of ${host} is not trusted (${code}); if an organisation's own authority signed it, name its file in NODE_EXTRA_CA_CERTS`;
    // The same certificate comes again: repeating can not help.
    return make('tls', message, error, { retryable: false });
  }
  if (TLS_CODES.test(code)) {
    const message = `no TLS connection to ${host} (${code}); check that it serves https and not http`;
    return make('tls', message, error, { retryable: false });
  }
  if (DNS_CODES.has(code)) {
    return make('dns', `cannot resolve the host name of ${host} (${code}); check base_url and the network`, error);
  }
  switch (code) {
    case 'ECONNREFUSED':
      return make('connection-failed', `nothing accepts connections at ${host} (${code}); check base_url`, error);
    case 'ECONNRESET':
    case 'EPIPE':
      return make('connection-failed', `${host} closed the connection before it answered (${code})`, error);
    case 'ETIMEDOUT':
      return make('request-timeout', `${host} can not be reached in time (${code}); check the network`, error);
    default:
      if (code.startsWith('HPE_')) {
        return make('connection-failed', `${host} does not answer in HTTP (${code}); check base_url`, error);
      }
      return make('connection-failed', `cannot connect to ${host} (${code}); check base_url and the network`, error);
  }
}

/** True for the errors that a pooled socket shows when the server had closed it in the meantime. */
export function isReset(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function make(code: ModelErrorCode, message: string, cause: unknown, options = { retryable: true }): ModelError {
  return new ModelError(code, message, { retryable: options.retryable, cause });
}

/** The system's code; of several tried addresses, the first one's. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? systemCode(error.errors[0]) : undefined;
}
