import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { networkFailure } from '../failure.ts';
import type { NetworkError } from '../network-error.ts';
import { basicAuthorization } from './proxy-endpoint.ts';
import { credentialsFailure, type ProxyHop, proxyFailure } from './proxy-failure.ts';

/**
 * Asks an HTTP proxy, to which `socket` is connected, for a tunnel to the target, and gives the same socket
 * back. Rejects with NetworkError 'proxy', or the reason of the signal.
 */
export function openHttpTunnel(socket: Duplex, hop: ProxyHop & { readonly signal: AbortSignal }): Promise<Duplex> {
  const { target, proxy, signal } = hop;
  const authorization = basicAuthorization(proxy);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      method: 'CONNECT',
      path: target.authority,
      // Without an agent Node uses this socket. Its types ask for a net.Socket; its code takes any duplex stream.
      createConnection: () => socket as Socket,
      headers: {
        host: target.authority,
        connection: 'keep-alive',
        ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
      },
    });
    const settle = (): void => signal.removeEventListener('abort', onAbort);
    const fail = (error: unknown): void => {
      settle();
      request.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    // Stays attached: a destroyed request may still report an error.
    request.on('error', (error) => fail(networkFailure(error, { target, proxy: proxy.authority, atProxy: true })));
    request.on('response', () =>
      fail(proxyFailure('answered CONNECT without opening a tunnel', hop, { retryable: false })),
    );
    request.on('connect', (response: IncomingMessage, connected: Duplex, head: Buffer) => {
      const { statusCode = 0 } = response;
      if (statusCode < 200 || statusCode > 299) {
        fail(refusal(hop, statusCode));
        return;
      }
      settle();
      // The first bytes of the target may have come along with the answer.
      if (head.length > 0) connected.unshift(head);
      resolve(connected);
    });
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    request.end();
  });
}

function refusal(hop: ProxyHop, status: number): NetworkError {
  if (status === 407) return credentialsFailure(hop, status);
  const { variable } = hop.proxy;
  const message = `refused a connection to ${hop.target.authority} (status ${status}); check ${variable} and NO_PROXY`;
  return proxyFailure(message, hop, { retryable: status >= 500, status });
}
