import { Agent, request as httpRequest } from 'node:http';
import { type FailurePlace, networkFailure } from '../failure.ts';
import { TCP_OPTIONS } from '../limits.ts';
import type { Target } from '../target.ts';
import { boundConnects } from './bound-connects.ts';
import { POOL, type Route, requestOptions } from './route.ts';

/** Plain http without a proxy: the fastest start, so nothing else is loaded for it. */
export function plainRoute(target: Target): Route {
  const place: FailurePlace = { target, proxy: undefined, atProxy: false };
  const agent = boundConnects(new Agent({ ...POOL, ...TCP_OPTIONS }), { place, tls: false });
  return {
    agent,
    proxy: undefined,
    open: (url, options) => httpRequest({ ...requestOptions(url, options, target), agent }),
    toNetworkError: (error) => networkFailure(error, place),
    refusal: () => undefined,
  };
}
