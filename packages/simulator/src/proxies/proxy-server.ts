import type { AddressInfo, Server, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { SimulatorError } from '../simulator-error.ts';

/** A user name and a password that a proxy asks for. */
export interface ProxyCredentials {
  readonly username: string;
  readonly password: string;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface ProxyServer extends AsyncDisposable {
  /** Without credentials. */
  readonly url: string;
  readonly port: number;
}

/** Listens on a free port of 127.0.0.1. Disposal destroys every connection. */
export async function startProxyServer(
  server: Server,
  options: { readonly scheme: string; readonly sockets: Set<Duplex> },
): Promise<ProxyServer> {
  server.on('connection', (socket: Socket) => keep(options.sockets, socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new SimulatorError('not-started', `the proxy cannot listen on 127.0.0.1: ${cause.message}`, { cause }));
    });
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // an object: it listens on an address, not on a pipe
  return {
    url: `${options.scheme}://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of options.sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Remembers a socket until it is closed; its errors end it and nothing else. */
function keep(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => sockets.delete(socket));
}

export interface TunnelHandlers {
  /** The target accepted; whatever is written to `client` now comes before its bytes. */
  onOpen(): void;
  /** The target can not be reached. */
  onFailure(): void;
}

/** Connects to `target` and passes bytes both ways; the end of one side is the end of the other. */
export function tunnel(client: Duplex, target: Endpoint, sockets: Set<Duplex>, handlers: TunnelHandlers): void {
  const upstream = connect({ host: target.host, port: target.port, noDelay: true });
  keep(sockets, upstream);
  let open = false;
  upstream.once('connect', () => {
    open = true;
    handlers.onOpen();
    upstream.pipe(client).pipe(upstream);
  });
  upstream.once('close', () => {
    if (open) client.destroy();
    else handlers.onFailure();
  });
  client.once('close', () => upstream.destroy());
}
