import { Agent, type ClientRequestArgs, request as httpRequest, type RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, openConnection } from '../connect/open-connection.ts';
import { type FailurePlace, networkFailure } from '../failure.ts';
import { TCP_OPTIONS } from '../limits.ts';
import { type OpenOptions, POOL, type Route, requestOptions } from './route.ts';

/** What is the same for every connection of the route. */
export type Tunnelling = Pick<ConnectionOptions, 'target' | 'proxy' | 'trust'>;

/** What a request hands through the agent to `createConnection`, beside Node's own options. */
type Waiting = Pick<OpenOptions, 'signal' | 'timeoutMs'>;

/** Anything behind a proxy that gives out tunnels. */
export function tunnelledRoute(tunnelling: Tunnelling): Route {
  const { target, proxy } = tunnelling;
  const agent = new TunnelAgent(tunnelling);
  const place: FailurePlace = { target, proxy: proxy?.authority, atProxy: false };
  return {
    agent,
    proxy: proxy?.authority,
    open: (url, options) => {
      const { signal, timeoutMs } = options;
      const waiting: Waiting = { signal, timeoutMs };
      // Node hands options that it does not know on to the agent.
      return httpRequest({ ...requestOptions(url, options, target), agent, waiting } as RequestOptions);
    },
    toNetworkError: (error) => networkFailure(error, place),
    refusal: () => undefined,
  };
}

type ConnectionCallback = (error: Error | null, socket: Duplex) => void;

/** A pool of tunnels. Where the target wants TLS it is inside, so requests are written as plain http. */
class TunnelAgent extends Agent {
  readonly #tunnelling: Tunnelling;

  constructor(tunnelling: Tunnelling) {
    super({ ...POOL, ...TCP_OPTIONS });
    this.#tunnelling = tunnelling;
  }

  /** Called by Node for a new socket; the answer comes through `callback`. */
  override createConnection(options: ClientRequestArgs, callback?: ConnectionCallback): undefined {
    // The route that owns this agent puts `waiting` into the options of every request.
    const { waiting } = options as unknown as { readonly waiting: Waiting };
    openConnection({ ...this.#tunnelling, ...waiting }).then(
      (socket) => callback?.(/* error */ null, socket),
      // Node's types want a stream beside the error; its code does not look at it.
      (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
    );
  }
}
