import { Agent, request as httpsRequest } from 'node:https';
import type { SecureContext } from 'node:tls';
import { type FailurePlace, networkFailure } from '../failure.ts';
import { TCP_OPTIONS } from '../limits.ts';
import type { Target } from '../target.ts';
import { boundConnects } from './bound-connects.ts';
import { POOL, type Route, requestOptions } from './route.ts';

/** https without a proxy. */
export function tlsRoute(target: Target, trust: SecureContext | undefined): Route {
  const place: FailurePlace = { target, proxy: undefined, atProxy: false };
  const agent = boundConnects(tlsAgent(trust), { place, tls: true });
  return {
    agent,
    proxy: undefined,
    open: (url, options) => httpsRequest({ ...requestOptions(url, options, target), agent }),
    toNetworkError: (error) => networkFailure(error, place),
    refusal: () => undefined,
  };
}

/** A pool of TLS sockets. `secureContext` is handed on to `tls.connect`, though the agent's type does not list it. */
export function tlsAgent(trust: SecureContext | undefined): Agent {
  return new Agent({ ...POOL, ...TCP_OPTIONS, ...(trust === undefined ? {} : { secureContext: trust }) });
}
