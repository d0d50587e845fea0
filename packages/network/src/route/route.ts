import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import type { NetworkError } from '../network-error.ts';

/** How requests to one origin are made: directly, through a proxy, with which pool of sockets. */
export interface Route {
  /** The pool. */
  readonly agent: Agent;
  /** `host:port` of the proxy. */
  readonly proxy: string | undefined;
  /**
   * A request that waits for its body to be written and ended. It reports failures by its `error` event, as
   * Node does; an abort only stops the making of a tunnel, the caller destroys the request itself.
   */
  open(url: URL, options: OpenOptions): ClientRequest;
  /** What such an `error` event holds, as a typed error. */
  toNetworkError(error: unknown): NetworkError;
  /** The error behind a response that comes from the proxy and not from the target; `undefined` for others. */
  refusal(status: number): NetworkError | undefined;
}

export interface OpenOptions {
  readonly method: string;
  /** Names in lower case. `host` is added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Longest wait for a tunnel through a proxy; other waits for the answer are the caller's. */
  readonly timeoutMs: number;
}

/** Sockets are kept for the next request; the one used last is the least likely to be closed. */
export const POOL = { keepAlive: true, scheduling: 'lifo' } as const;

/** Node's options for a request to the origin itself. `host` is the one that `parseTarget` found. */
export function requestOptions(
  url: URL,
  { method, headers }: OpenOptions,
  endpoint: { readonly host: string; readonly port: number },
): RequestOptions {
  const { host, port } = endpoint;
  return { method, host, port, path: `${url.pathname}${url.search}`, headers: { host: url.host, ...headers } };
}
