import { NetworkError, type NetworkErrorCode, toNetworkError } from '@quire/network';
import { ModelError, type ModelErrorCode, type TransportFailure } from '@quire/protocol';

/** Where a connection was going. */
export interface ConnectionTarget {
  readonly url: URL;
  /** `host:port` of the proxy in between. */
  readonly proxy: string | undefined;
  /** The setting that the address was taken from. Default: `base_url`. */
  readonly addressKey?: string | undefined;
}

/** `host:port`, the port also when it is the scheme's own. */
export function hostAndPort(url: URL): string {
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  return `${url.hostname}:${url.port === '' ? (secure ? '443' : '80') : url.port}`;
}

interface Meaning {
  readonly code: ModelErrorCode;
  readonly transportFailure: TransportFailure | undefined;
}

const DEFAULT_ADDRESS_KEY = 'base_url';

const MEANINGS: Readonly<Record<NetworkErrorCode, Meaning>> = {
  dns: { code: 'dns', transportFailure: { kind: 'dns' } },
  tcp: { code: 'connection-failed', transportFailure: { kind: 'tcp' } },
  tls: { code: 'tls', transportFailure: { kind: 'tls' } },
  proxy: { code: 'proxy', transportFailure: { kind: 'proxy' } },
  timeout: { code: 'request-timeout', transportFailure: { kind: 'connect-timeout' } },
  configuration: { code: 'configuration', transportFailure: undefined },
};

/** What the dialer, or a socket that it gave out, reported before a response arrived; with the remedy. */
export function connectionError(error: unknown, target: ConnectionTarget): ModelError {
  if (error instanceof ModelError) return error;
  const failure = error instanceof NetworkError ? error : toNetworkError(error, target.url);
  const { code, transportFailure } = MEANINGS[failure.code];
  return new ModelError(code, `${failure.message}${remedy(failure, target.addressKey ?? DEFAULT_ADDRESS_KEY)}`, {
    retryable: failure.retryable,
    httpStatus: proxyStatus(failure),
    transportFailure,
    cause: failure,
  });
}

/** True for the errors that a pooled socket shows when the server had closed it in the meantime. */
export function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** Reply codes of SOCKS proxies are below every HTTP status. */
function proxyStatus({ status }: NetworkError): number | undefined {
  return status !== undefined && status >= 300 ? status : undefined;
}

/** What a person can do about it, where the dialer, which does not know `base_url`, could not say. */
function remedy({ code, reason }: NetworkError, addressKey: string): string {
  switch (code) {
    case 'dns':
      return `; check ${addressKey} and the network`;
    case 'timeout':
      return '; check the network';
    case 'tcp':
      if (reason === undefined || reason === 'ECONNRESET' || reason === 'EPIPE') return '';
      return reason === 'ECONNREFUSED' || reason.startsWith('HPE_')
        ? `; check ${addressKey}`
        : `; check ${addressKey} and the network`;
    default:
      return '';
  }
}
