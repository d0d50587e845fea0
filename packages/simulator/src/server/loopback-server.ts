import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ReceivedRequest } from '../recorded-request.ts';
import { SimulatorError } from '../simulator-error.ts';

/** Larger request bodies are answered 413. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024;

export interface LoopbackServer {
  readonly port: number;
  /** New connections are refused and existing ones dropped. Doing it twice is fine. */
  stopListening(): void;
  /** `stopListening`, and resolves when the port is free. */
  close(): Promise<void>;
}

export interface LoopbackHandlers {
  /** A request whose body arrived completely. Must catch everything. */
  onRequest(received: ReceivedRequest, response: ServerResponse): void;
  /** Bytes on a connection that are no HTTP request, for instance the rest of a body longer than declared. */
  onUnparsable(reason: string): void;
}

/** Listens on 127.0.0.1 only. Port 0 takes a free one. */
export async function startLoopbackServer(
  handlers: LoopbackHandlers,
  options: { readonly port: number },
): Promise<LoopbackServer> {
  // A test may keep a silent connection open for as long as it likes: no server-side timeouts.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => receive(request, response, handlers));
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
    for (const socket of sockets) socket.destroy();
  };
  const close = async (): Promise<void> => {
    const closed = server.listening || sockets.size > 0 ? once(server, 'close') : Promise.resolve();
    stopListening();
    await closed;
  };
  return { port, stopListening, close };
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

function receive(request: IncomingMessage, response: ServerResponse, handlers: LoopbackHandlers): void {
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
    handlers.onRequest(
      {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        rawBody: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks),
        receivedAtMs: performance.timeOrigin + performance.now(),
      },
      response,
    );
  });
}
