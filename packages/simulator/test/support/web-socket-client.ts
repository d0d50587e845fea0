import type { IncomingMessage } from 'node:http';
import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import { type ClientOptions, WebSocket } from 'ws';
import type { Simulator } from '../../src/index.ts';
import { bodyWith } from './client.ts';

export const BETA = 'responses_websockets=2026-02-06';
const TERMINAL = new Set(['response.completed', 'response.failed', 'response.incomplete', 'error']);

export type ClientFrame = JsonObject | string | { readonly binary: Buffer };

/** A WebSocket client that keeps what it is sent. */
export class WebSocketClient implements Disposable {
  readonly frames: ClientFrame[] = [];
  readonly socket: WebSocket;
  readonly upgradeHeaders: IncomingMessage['headers'];
  pings = 0;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #listeners = new Set<() => void>();
  #isClosed = false;
  #taken = 0;

  private constructor(socket: WebSocket, upgradeHeaders: IncomingMessage['headers']) {
    this.socket = socket;
    this.upgradeHeaders = upgradeHeaders;
    socket.on('error', () => undefined); // `closed` tells the rest
    socket.on('message', (data: Buffer, isBinary) => {
      this.frames.push(isBinary ? { binary: data } : read(data));
      this.#notify();
    });
    socket.on('ping', () => {
      this.pings += 1;
      this.#notify();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#isClosed = true;
        resolve({ code, reason: reason.toString() });
        this.#notify();
      });
    });
  }

  static open(sim: Pick<Simulator, 'url'>, options: ClientOptions = {}): Promise<WebSocketClient> {
    const url = `${sim.url.replace(/^http/, 'ws')}/responses`;
    const socket = new WebSocket(url, { ...options, headers: { 'openai-beta': BETA, ...options.headers } });
    return new Promise((resolve, reject) => {
      let client: WebSocketClient | undefined;
      socket.once('upgrade', (response) => {
        client = new WebSocketClient(socket, response.headers);
      });
      socket.once('open', () => client !== undefined && resolve(client));
      socket.once('unexpected-response', (request, response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          request.destroy();
          reject(new RefusedUpgrade(response, Buffer.concat(pieces).toString()));
        });
      });
      socket.once('error', reject);
    });
  }

  send(body: unknown): void {
    this.socket.send(typeof body === 'string' ? body : JSON.stringify(body));
  }

  create(fields: JsonObject = {}): void {
    this.send(frameWith(fields));
  }

  /** The frames of the next response, up to the event that ends it or the end of the connection. */
  async response(): Promise<readonly ClientFrame[]> {
    const isOver = (): boolean => this.#endIndex() >= 0 || this.#isClosed;
    await this.until(isOver);
    const end = this.#endIndex();
    const until = end < 0 ? this.frames.length : end + 1;
    const taken = this.frames.slice(this.#taken, until);
    this.#taken = until;
    return taken;
  }

  async ask(fields: JsonObject = {}): Promise<readonly ClientFrame[]> {
    this.create(fields);
    return this.response();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }

  #endIndex(): number {
    return this.frames.findIndex((frame, index) => index >= this.#taken && TERMINAL.has(typeOf(frame)));
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A handshake that was answered with something else than 101. */
class RefusedUpgrade extends Error {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;

  constructor(response: IncomingMessage, body: string) {
    super(`refused with ${response.statusCode}`);
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.body = body;
  }
}

export function frameWith(fields: JsonObject = {}): JsonObject {
  return { type: 'response.create', ...bodyWith(fields) };
}

export function typeOf(frame: ClientFrame): string {
  if (typeof frame === 'string') return 'not JSON';
  return frame['binary'] instanceof Buffer ? 'binary' : (stringAt(frame as JsonObject, 'type') ?? '?');
}

function read(data: Buffer): JsonObject | string {
  const words = data.toString('utf8');
  try {
    const parsed: unknown = JSON.parse(words);
    return isJsonObject(parsed) ? parsed : words;
  } catch {
    return words; // what a test sends on purpose
  }
}
