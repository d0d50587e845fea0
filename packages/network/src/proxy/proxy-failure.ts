import { NetworkError } from '../network-error.ts';
import type { Target } from '../target.ts';
import type { ProxyEndpoint } from './proxy-endpoint.ts';

/** A target, and the proxy that is asked for it. */
export interface ProxyHop {
  readonly target: Target;
  readonly proxy: ProxyEndpoint;
}

/** What a proxy answered, as an error. `what` continues the sentence "the proxy host:port …". */
export function proxyFailure(
  what: string,
  { target, proxy }: ProxyHop,
  details: { readonly retryable: boolean; readonly status?: number; readonly cause?: unknown },
): NetworkError {
  return new NetworkError('proxy', `the proxy ${proxy.authority} ${what}`, {
    host: target.host,
    port: target.port,
    proxy: proxy.authority,
    ...details,
  });
}

/** 407 and its SOCKS relatives: the credentials are missing or wrong. */
export function credentialsFailure(hop: ProxyHop, status: number): NetworkError {
  const { credentials, variable, scheme } = hop.proxy;
  const what =
    credentials === undefined
      ? `wants credentials (${status}); put them into the proxy URL: ${scheme}://user:password@host:port`
      : `does not accept the credentials of ${variable} (${status}); correct them there`;
  return proxyFailure(what, hop, { retryable: false, status });
}
