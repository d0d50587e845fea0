import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ReceivedRequest } from '../recorded-request.ts';
import { SimulatorError } from '../simulator-error.ts';
import type { ServerCertificate } from '../tls/certificate-authority.ts';
import { decodeBody } from './decode-body.ts';

/** Larger request bodies are answered 413. */
export const MAX_BODY_BYTES = 1024 * 1024 * 1024;

export interface LoopbackServer {
  readonly port: number;
  /** New connections are refused and existing ones dropped. Doing it twice is fine. */
  stopListening(): void;
  /** `stopListening`, and resolves when the port is free. */
  close(): Promise<void>;
}

/** A TCP connection, also where TLS runs on it. */
export interface Connection {
  /** 0 for the first one that was accepted. */
  readonly index: number;
  /** Bytes that came on it since the last call; without TLS's own. */
  takeBytesReceived(): number;
  reset(): void;
}

export interface ReceivedUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the handshake. */
  readonly head: Buffer;
  readonly connection: Connection;
  readonly receivedAtMs: number;
}

export interface LoopbackHandlers {
  /** A request whose body arrived completely. Must catch everything. */
  onRequest(received: ReceivedRequest, response: ServerResponse, connection: Connection): void;
  /** A request to change the protocol. The receiver owns the socket from here on. Must catch everything. */
  onUpgrade(received: ReceivedUpgrade): void;
  /** Bytes on a connection that are no HTTP request, for instance the rest of a body longer than declared. */
  onUnparsable(reason: string): void;
}

/** Listens on 127.0.0.1 only. Port 0 takes a free one. */
export async function startLoopbackServer(
  handlers: LoopbackHandlers,
  options: { readonly port: number; readonly certificate: ServerCertificate | undefined },
): Promise<LoopbackServer> {
  const connections = new Connections();
  const server = await createHttpServer(options.certificate, (request, response) => {
    receive(request, response, { handlers, connection: connections.of(request.socket) });
  });
  server.on('connection', (socket: Socket) => connections.add(socket));
  server.on('upgrade', (request, socket, head) => {
    const connection = connections.of(request.socket);
    handlers.onUpgrade({ request, socket, head, connection, receivedAtMs: nowMs() });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A connection that ends inside a request was given up by its client; only wrong bytes are a finding.
    if (error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE') {
      handlers.onUnparsable(error.code);
    }
    socket.destroy();
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo; // an object: it listens on an address, not on a pipe

  const stopListening = (): void => {
    server.close();
    connections.destroyAll();
  };
  const close = async (): Promise<void> => {
    const closed = server.listening || connections.size > 0 ? once(server, 'close') : Promise.resolve();
    stopListening();
    await closed;
  };
  return { port, stopListening, close };
}

async function createHttpServer(
  certificate: ServerCertificate | undefined,
  listener: RequestListener,
): Promise<Server> {
  // A test may keep a silent connection open for as long as it likes: no server-side timeouts.
  const patience = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true };
  if (certificate === undefined) return createServer(patience, listener);
  const { createServer: createTlsServer } = await import('node:https');
  const { key, cert } = certificate;
  const server = createTlsServer({ ...patience, key, cert }, listener);
  // A client that does not trust the certificate breaks off the handshake: its finding, not ours.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** The accepted connections, by the socket that speaks HTTP; TLS hides the one below it. */
class Connections {
  readonly #open: Set<Socket> = new Set();
  readonly #bySocket: WeakMap<Socket, Connection> = new WeakMap();
  readonly #byPort: Map<number | undefined, { readonly index: number; readonly socket: Socket }> = new Map();
  #count = 0;

  get size(): number {
    return this.#open.size;
  }

  add(socket: Socket): void {
    const { remotePort } = socket;
    this.#open.add(socket);
    this.#byPort.set(remotePort, { index: this.#count, socket });
    this.#count += 1;
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#byPort.delete(remotePort);
    });
  }

  /** @param speaking the TCP socket, or the TLS socket on it; both have the client's port */
  of(speaking: Socket): Connection {
    const known = this.#bySocket.get(speaking);
    if (known !== undefined) return known;
    const below = this.#byPort.get(speaking.remotePort);
    let bytesSeen = 0;
    const connection: Connection = {
      index: below?.index ?? -1, // a client that is gone before its first request was read
      takeBytesReceived: () => {
        const fresh = speaking.bytesRead - bytesSeen;
        bytesSeen += fresh;
        return fresh;
      },
      reset: () => (below?.socket ?? speaking).resetAndDestroy(),
    };
    this.#bySocket.set(speaking, connection);
    return connection;
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot listen on 127.0.0.1:${port}: ${cause.message}; choose another port, or 0 for a free one`;
      reject(new SimulatorError('not-started', message, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

function once(server: Server, name: 'close'): Promise<void> {
  return new Promise((resolve) => server.once(name, () => resolve()));
}

function receive(
  request: IncomingMessage,
  response: ServerResponse,
  options: { readonly handlers: LoopbackHandlers; readonly connection: Connection },
): void {
  const { handlers, connection } = options;
  const chunks: Buffer[] = [];
  let byteCount = 0;
  // An error here is a client that left: the request is incomplete and nobody waits for an answer.
  request.on('error', () => response.destroy());
  response.on('error', () => response.destroy());
  request.on('data', (chunk: Buffer) => {
    byteCount += chunk.length;
    if (byteCount <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (!response.headersSent) response.writeHead(413, { connection: 'close' }).end();
  });
  request.on('end', () => {
    if (byteCount > MAX_BODY_BYTES) return;
    const rawBody = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    const received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      rawBody,
      receivedAtMs: nowMs(),
      connection: connection.index,
      bytesReceived: connection.takeBytesReceived(),
    };
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') {
      handlers.onRequest({ ...received, content: { kind: 'decoded', bytes: rawBody } }, response, connection);
      return;
    }
    void decodeBody(rawBody, encoding).then((content) =>
      handlers.onRequest({ ...received, content }, response, connection),
    );
  });
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
