import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Handler, type Received, sse } from './support.ts';

export interface ClientFrame {
  readonly type: string;
  readonly input: readonly unknown[];
  readonly previous_response_id?: string;
  readonly generate?: boolean;
  readonly client_metadata: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

export interface Peer {
  readonly socket: WebSocket;
  /** The connection below. */
  readonly raw: Socket;
  /** Number of the connection, from 0. */
  readonly index: number;
  readonly frames: ClientFrame[];
  send(...events: readonly object[]): void;
}

export interface SocketServer extends AsyncDisposable {
  readonly url: string;
  /** Every upgrade that was asked for. */
  readonly upgrades: Received[];
  readonly peers: Peer[];
  /** All frames of all connections. */
  readonly frames: ClientFrame[];
  /** POST requests. */
  readonly requests: Received[];
  /** Settles when `condition` holds; looked at after each thing that happens at the server. */
  until(condition: () => boolean): Promise<void>;
}

export interface SocketScript {
  /** Gives `accept`, a status (with a body), or does what it likes with the connection. */
  readonly upgrade?: (index: number, socket: Duplex, request: IncomingMessage) => 'accept' | Refusal | 'handled';
  readonly headers?: readonly string[];
  /** Called for each frame; `index` counts all of them from 0. */
  readonly frame?: (peer: Peer, frame: ClientFrame, index: number) => void;
  readonly post?: Handler;
  readonly deflate?: boolean;
  readonly autoPong?: boolean;
}

export interface Refusal {
  readonly status: number;
  readonly body?: string;
  readonly headers?: readonly string[];
}

/** A provider on loopback that speaks WebSocket and HTTP. */
export async function serveSockets(script: SocketScript = {}): Promise<SocketServer> {
  const upgrades: Received[] = [];
  const peers: Peer[] = [];
  const frames: ClientFrame[] = [];
  const requests: Received[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const check of [...waiting]) check();
  };
  const webSockets = new WebSocketServer({
    noServer: true,
    autoPong: script.autoPong ?? true,
    perMessageDeflate: script.deflate === true ? { threshold: 0 } : false,
  });
  webSockets.on('headers', (headers) => headers.push(...(script.headers ?? [])));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push(received(request, Buffer.concat(chunks).toString('utf8')));
      changed();
      if (script.post !== undefined) script.post(response, requests.at(-1) as Received, requests.length - 1);
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(sse(...answerEvents('http-1', 'over http')));
      }
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('upgrade', (request, socket, head) => {
    upgrades.push(received(request, ''));
    const decision = script.upgrade?.(upgrades.length - 1, socket, request) ?? 'accept';
    if (decision === 'accept') {
      webSockets.handleUpgrade(request, socket, head, (accepted) => accept(accepted, socket as Socket));
    } else if (decision !== 'handled') {
      const { status, body = '', headers = [] } = decision;
      const lines = [`HTTP/1.1 ${status} Refused`, `content-length: ${Buffer.byteLength(body)}`, ...headers];
      socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    }
    changed();
  });
  const accept = (socket: WebSocket, raw: Socket): void => {
    const peer: Peer = {
      socket,
      raw,
      index: peers.length,
      frames: [],
      send: (...events) => {
        for (const event of events) socket.send(JSON.stringify(event));
      },
    };
    peers.push(peer);
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as ClientFrame;
      peer.frames.push(frame);
      frames.push(frame);
      (script.frame ?? answerAll)(peer, frame, frames.length - 1);
      changed();
    });
    socket.on('close', changed);
    socket.on('ping', changed);
    changed();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    upgrades,
    peers,
    frames,
    requests,
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      webSockets.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers prewarms with a completion, everything else with a message. */
export function answerAll(peer: Peer, frame: ClientFrame, index: number): void {
  if (frame.generate === false) peer.send(...warmEvents(`warm-${index}`));
  else peer.send(...answerEvents(`resp-${index}`, `answer ${index}`));
}

export const warmEvents = (id: string): object[] => [
  { type: 'response.created', response: { id } },
  { type: 'response.completed', response: { id, usage: null } },
];

export const answerEvents = (id: string, text: string): object[] => [
  { type: 'response.created', response: { id } },
  { type: 'response.output_text.delta', item_id: `msg-${id}`, delta: text },
  { type: 'response.output_item.done', item: message(`msg-${id}`, text) },
  { type: 'response.completed', response: { id, usage: null } },
];

export const message = (id: string, text: string) => ({
  type: 'message' as const,
  id,
  role: 'assistant' as const,
  content: [{ type: 'output_text' as const, text }],
});

function received(request: IncomingMessage, body: string): Received {
  return { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
}
