import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { type FailurePlace, networkFailure } from '../failure.ts';
import { TCP_OPTIONS } from '../limits.ts';
import type { NetworkError } from '../network-error.ts';
import type { ProxyEndpoint } from '../proxy/proxy-endpoint.ts';
import type { Target } from '../target.ts';
import { untilAborted } from '../until-aborted.ts';
import { awaitSocket } from './await-socket.ts';
import { StageTimer } from './stage-timer.ts';
import { tcpStage, tlsStage, tunnelStage } from './stages.ts';

export interface ConnectionOptions {
  readonly target: Target;
  readonly proxy: ProxyEndpoint | undefined;
  /** Authorities for TLS; resolves to `undefined` when Node's own choice is right. */
  readonly trust: () => Promise<SecureContext | undefined>;
  /** What is spoken to a secure target. Default: `http/1.1`. */
  readonly protocol?: 'http/1.1' | 'h2';
  readonly signal: AbortSignal;
  /** For the whole way, TLS included. */
  readonly timeoutMs: number;
  readonly onPassed?: StageListener | undefined;
}

/** `dns`, `tcp` and `proxy` are those of the proxy where there is one; `dns` is left out for an address. */
export type ConnectionStage = 'dns' | 'tcp' | 'proxy' | 'tls';

/** Called synchronously when a stage is behind; must not throw. `address` only for `dns`, once for each. */
export type StageListener = (stage: ConnectionStage, address?: string) => void;

/**
 * A socket to the target, through the proxy if there is one, with TLS finished if the target is secure.
 * Rejects with NetworkError, or the reason of the signal; nothing stays open then.
 */
export async function openConnection(options: ConnectionOptions): Promise<Duplex> {
  const { target, proxy } = options;
  const atProxy = proxy !== undefined;
  const first = tcpStage(place(options, { atProxy }));
  using timer = new StageTimer({ signal: options.signal, timeoutMs: options.timeoutMs, first });
  const way: Way = { ...options, timer };
  let socket: Duplex = await openTcp(way);
  if (proxy !== undefined) {
    if (proxy.scheme === 'https') socket = await startTls(socket, { ...way, atProxy: true });
    timer.enter(tunnelStage(place(options, { atProxy: true })));
    socket = await throughProxy(socket, { target, proxy, signal: timer.signal });
    options.onPassed?.('proxy');
  }
  if (!target.secure) return socket;
  const secure = await startTls(socket, { ...way, atProxy: false });
  options.onPassed?.('tls');
  return secure;
}

interface Way extends ConnectionOptions {
  readonly timer: StageTimer;
}

function place(options: ConnectionOptions, { atProxy }: { readonly atProxy: boolean }): FailurePlace {
  const { target, proxy } = options;
  return { target, proxy: proxy?.authority, atProxy };
}

async function openTcp(way: Way): Promise<Duplex> {
  const { host, port } = way.proxy ?? way.target;
  const { signal } = way.timer;
  signal.throwIfAborted();
  const socket = connectTcp({ host, port, ...TCP_OPTIONS, keepAlive: true });
  const { onPassed } = way;
  if (onPassed !== undefined) {
    socket.on('lookup', (error: Error | null, address: string) => {
      if (error === null) onPassed('dns', address);
    });
  }
  const where = place(way, { atProxy: way.proxy !== undefined });
  await awaitSocket(socket, { event: 'connect', signal, toError: (cause) => networkFailure(cause, where) });
  onPassed?.('tcp');
  return socket;
}

async function startTls(socket: Duplex, way: Way & { readonly atProxy: boolean }): Promise<Duplex> {
  const { target, proxy, timer, atProxy } = way;
  const host = atProxy && proxy !== undefined ? proxy.host : target.host;
  const where = place(way, { atProxy });
  timer.enter(tlsStage(where));
  try {
    const [{ connect }, secureContext] = await Promise.all([
      import('node:tls'),
      untilAborted(way.trust(), timer.signal),
    ]);
    const servername = isIP(host) === 0 ? host : '';
    const trusted = secureContext === undefined ? {} : { secureContext };
    // `host` is what the certificate is checked against; without it Node would take the proxy's.
    const protocol = atProxy ? 'http/1.1' : (way.protocol ?? 'http/1.1');
    const secure = connect({ socket, host, servername, ALPNProtocols: [protocol], ...trusted });
    const toError = (cause: unknown): NetworkError => networkFailure(cause, where);
    await awaitSocket(secure, { event: 'secureConnect', signal: timer.signal, toError });
    return secure;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

interface ProxyWay {
  readonly target: Target;
  readonly proxy: ProxyEndpoint;
  readonly signal: AbortSignal;
}

async function throughProxy(socket: Duplex, way: ProxyWay): Promise<Duplex> {
  try {
    switch (way.proxy.scheme) {
      case 'http':
      case 'https':
        return await (await import('../proxy/http-connect.ts')).openHttpTunnel(socket, way);
      case 'socks5':
      case 'socks5h':
        return await (await import('../proxy/socks5.ts')).openSocks5Tunnel(socket, way);
      case 'socks4':
      case 'socks4a':
        return await (await import('../proxy/socks4.ts')).openSocks4Tunnel(socket, way);
    }
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
