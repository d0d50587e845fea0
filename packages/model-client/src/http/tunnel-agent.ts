import { type ClientRequest, type ClientRequestArgs, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { ModelError } from '@quire/protocol';
import { connectionError, hostAndPort } from '../errors/connection-error.ts';
import type { ProxyEndpoint } from './proxy.ts';

/** A proxy that has not opened its connection after half a minute has given up on it, or soon will. */
const MAX_CONNECT_MS = 30_000;

/** What the transport hands through the agent to `createConnection`, beside Node's own options. */
export interface TunnelOptions {
  readonly target: URL;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

interface ConnectionOptions {
  readonly tunnel: TunnelOptions;
  readonly servername?: string;
}

type ConnectionCallback = (error: Error | null, socket: Duplex) => void;

/** Agent for https targets behind a proxy: each new socket is TLS inside a CONNECT tunnel. */
export class TunnelAgent extends Agent {
  readonly #proxy: ProxyEndpoint;
  readonly #ca: readonly string[] | undefined;

  constructor(proxy: ProxyEndpoint, options: { readonly ca: readonly string[] | undefined }) {
    super({ keepAlive: true, scheduling: 'lifo' });
    this.#proxy = proxy;
    this.#ca = options.ca;
  }

  /** Called by Node for a new socket; the answer comes through `callback`. */
  override createConnection(options: ClientRequestArgs, callback?: ConnectionCallback): undefined {
    // The route that owns this agent puts `tunnel` into the options of every request; Node adds `servername`.
    const { tunnel, servername } = options as unknown as ConnectionOptions;
    openTunnel(this.#proxy, tunnel).then(
      (socket) => {
        const ca = this.#ca === undefined ? {} : { ca: [...this.#ca] };
        const secure = connectTls({ socket, servername: servername ?? '', ALPNProtocols: ['http/1.1'], ...ca });
        callback?.(/* error */ null, secure);
      },
      // Node's types want a stream beside the error; its code does not look at it.
      (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
    );
  }
}

/** A raw connection to the target through the proxy. Rejects with ModelError, or the reason of the signal. */
function openTunnel(proxy: ProxyEndpoint, tunnel: TunnelOptions): Promise<Duplex> {
  const authority = hostAndPort(tunnel.target);
  const { signal } = tunnel;
  return new Promise((resolve, reject) => {
    const request = connectRequest(proxy, authority);
    const timer = setTimeout(
      () => {
        fail(proxyError(`the proxy ${hostAndPort(proxy.url)} does not answer`, { retryable: true }));
      },
      Math.min(tunnel.timeoutMs, MAX_CONNECT_MS),
    );
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      settle();
      request.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    // Stays attached: a destroyed request may still report an error.
    request.on('error', (error) => fail(connectionError(error, { url: tunnel.target, proxy: hostAndPort(proxy.url) })));
    request.on('connect', (response: IncomingMessage, socket: Duplex) => {
      const { statusCode = 0 } = response;
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        fail(refusal(proxy, authority, statusCode));
        return;
      }
      settle();
      resolve(socket);
    });
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    request.end();
  });
}

function connectRequest(proxy: ProxyEndpoint, authority: string): ClientRequest {
  const { url } = proxy;
  const secure = url.protocol === 'https:';
  const open = secure ? httpsRequest : httpRequest;
  return open({
    method: 'CONNECT',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: authority,
    agent: false,
    headers: {
      host: authority,
      ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
    },
  });
}

function refusal(proxy: ProxyEndpoint, authority: string, status: number): ModelError {
  const name = hostAndPort(proxy.url);
  if (status === 407) {
    const remedy = 'put them into the proxy URL: http://user:password@host:port';
    return proxyError(`the proxy ${name} wants credentials (407); ${remedy}`, { retryable: false, httpStatus: status });
  }
  const message = `the proxy ${name} refused a connection to ${authority} (status ${status}); check HTTPS_PROXY and NO_PROXY`;
  return proxyError(message, { retryable: status >= 500, httpStatus: status });
}

function proxyError(
  message: string,
  details: { readonly retryable: boolean; readonly httpStatus?: number },
): ModelError {
  return new ModelError('proxy', message, details);
}
