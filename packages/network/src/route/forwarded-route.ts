import { Agent, request as httpRequest } from 'node:http';
import type { SecureContext } from 'node:tls';
import { type FailurePlace, networkFailure } from '../failure.ts';
import { TCP_OPTIONS } from '../limits.ts';
import { basicAuthorization, type ProxyEndpoint } from '../proxy/proxy-endpoint.ts';
import { credentialsFailure } from '../proxy/proxy-failure.ts';
import type { Target } from '../target.ts';
import { boundConnects } from './bound-connects.ts';
import { type OpenOptions, POOL, type Route, requestOptions } from './route.ts';

interface Forwarding {
  readonly target: Target;
  /** An http or https proxy. */
  readonly proxy: ProxyEndpoint;
  readonly trust: () => Promise<SecureContext | undefined>;
}

/** Plain http behind an HTTP proxy: the request goes to the proxy in absolute form. */
export async function forwardedRoute({ target, proxy, trust }: Forwarding): Promise<Route> {
  const place: FailurePlace = { target, proxy: proxy.authority, atProxy: true };
  const tls = proxy.scheme === 'https';
  const { pool, request } = tls
    ? await overTls(trust)
    : { pool: new Agent({ ...POOL, ...TCP_OPTIONS }), request: httpRequest };
  const agent = boundConnects(pool, { place, tls });
  const authorization = basicAuthorization(proxy);
  const extra = authorization === undefined ? {} : { 'proxy-authorization': authorization };
  return {
    agent,
    proxy: proxy.authority,
    open: (url, options) => {
      const path = `${url.origin}${url.pathname}${url.search}`;
      const withProxy: OpenOptions = { ...options, headers: { ...options.headers, ...extra } };
      return request({ ...requestOptions(url, withProxy, proxy), path, agent });
    },
    toNetworkError: (error) => networkFailure(error, place),
    // Any other status may be the target's own.
    refusal: (status) => (status === 407 ? credentialsFailure({ target, proxy }, status) : undefined),
  };
}

async function overTls(
  trust: Forwarding['trust'],
): Promise<{ readonly pool: Agent; readonly request: typeof httpRequest }> {
  const [{ tlsAgent }, https, context] = await Promise.all([import('./tls-route.ts'), import('node:https'), trust()]);
  return { pool: tlsAgent(context), request: https.request };
}
