import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Dialer } from '@quire/network';
import type { ServerCertificate } from '@quire/simulator';

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly sockets: Set<Socket>;
}

export async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const echo: RequestListener = (request, response) => {
  response.end(`${request.method} ${request.url} for ${request.headers.host}`);
};

/** Answers each request with its own first line; an upgrade turns the socket into an echo. */
export function serveEcho(certificate?: ServerCertificate): Promise<TestServer> {
  const server = certificate === undefined ? createHttpServer(echo) : createHttpsServer(certificate, echo);
  server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  return listen(server);
}

/** Accepts connections and does with them what it is told. */
export function serveRaw(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return listen(createTcpServer(onConnection));
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = await serveRaw(() => undefined);
  await server[Symbol.asyncDispose]();
  return server.port;
}

/** The text of the answer to a request over the dialer's route. Rejects with what the route makes of the failure. */
export async function requestText(
  dialer: Dialer,
  address: string,
  signal = new AbortController().signal,
): Promise<string> {
  const url = new URL(address);
  const route = await dialer.route(url);
  return await new Promise((resolve, reject) => {
    const request = route.open(url, { method: 'GET', headers: {}, signal, timeoutMs: 10_000 });
    request.on('error', (error) => reject(route.toNetworkError(error)));
    request.on('response', (response) => {
      const refusal = route.refusal(response.statusCode ?? 0);
      if (refusal !== undefined) reject(refusal);
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.end();
  });
}

/** The first line that comes back over `Dialer.connect` after an upgrade was asked for. */
export async function upgradeLine(dialer: Dialer, address: string): Promise<string> {
  const url = new URL(address);
  const socket = await dialer.connect(url, { signal: new AbortController().signal, timeoutMs: 10_000 });
  try {
    socket.write(`GET / HTTP/1.1\r\nhost: ${url.host}\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.includes('\r\n')) break;
    }
    return text.slice(0, text.indexOf('\r\n'));
  } finally {
    socket.destroy();
  }
}
