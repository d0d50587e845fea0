import type { FailurePlace } from '../failure.ts';
import { PROXY_ANSWER_TIMEOUT_MS, TCP_TIMEOUT_MS, TLS_TIMEOUT_MS } from '../limits.ts';
import { NetworkError } from '../network-error.ts';

/** One part of making a connection, and what it means when it takes too long. */
export interface Stage {
  readonly limitMs: number;
  /** `limitMs` is the one that ran out: the stage's own, or that of the whole. */
  readonly onTimeout: (limitMs: number) => NetworkError;
}

export function tcpStage(place: FailurePlace): Stage {
  return {
    limitMs: TCP_TIMEOUT_MS,
    onTimeout: (limitMs) =>
      place.atProxy
        ? silentProxy(place)
        : timeout('timeout', `${place.target.authority} can not be reached: no connection within ${limitMs} ms`, place),
  };
}

export function tlsStage(place: FailurePlace): Stage {
  const host = place.atProxy ? `the proxy ${place.proxy}` : place.target.authority;
  const code = place.atProxy ? 'proxy' : 'timeout';
  return {
    limitMs: TLS_TIMEOUT_MS,
    onTimeout: (limitMs) => timeout(code, `${host} did not finish the TLS handshake within ${limitMs} ms`, place),
  };
}

/** The proxy is asked for a tunnel. */
export function tunnelStage(place: FailurePlace): Stage {
  return { limitMs: PROXY_ANSWER_TIMEOUT_MS, onTimeout: () => silentProxy(place) };
}

function silentProxy(place: FailurePlace): NetworkError {
  return timeout('proxy', `the proxy ${place.proxy} does not answer`, place);
}

function timeout(code: 'proxy' | 'timeout', message: string, { target, proxy }: FailurePlace): NetworkError {
  return new NetworkError(code, message, { host: target.host, port: target.port, proxy, retryable: true });
}
