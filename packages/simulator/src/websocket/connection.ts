import type { Duplex } from 'node:stream';
import type { JsonObject } from '@quire/protocol';
import type { RawData, WebSocket } from 'ws';
import type { RecordedHandshake, RecordedRequest } from '../recorded-request.ts';
import type { AcceptUpgrade, CloseFrame, StreamPart } from '../script/step.ts';
import type { AnswerLine } from '../server/answer-line.ts';
import type { Connection } from '../server/loopback-server.ts';
import type { Waiting, WaitOptions } from '../waiting.ts';
import { encodeFrame, OPCODES } from './frame.ts';
import { createFrameLine, type FrameChannel } from './frame-line.ts';
import { ResponseMemory } from './response-memory.ts';
import type { SimulatedWebSocket, WebSocketEnd } from './web-socket-handle.ts';

export interface WebSocketOptions {
  readonly handshake: RecordedHandshake;
  readonly connection: Connection;
  readonly step: AcceptUpgrade;
  readonly served: WeakSet<JsonObject>;
  readonly waiting: Waiting;
  /** One frame from the client. Resolves when its answer was sent; never rejects. */
  readonly onFrame: (frame: ReceivedFrame, from: WebSocketConnection) => Promise<void>;
  /** A frame came although the response before is not over: there may be one request at a time. */
  readonly onEarlyFrame: () => void;
}

export interface ReceivedFrame {
  readonly payload: Buffer;
  readonly isBinary: boolean;
  readonly bytesReceived: number;
  readonly receivedAtMs: number;
}

/** One WebSocket: takes requests one after the other and answers them in frames. */
export class WebSocketConnection implements SimulatedWebSocket {
  readonly memory: ResponseMemory;
  answerPings: boolean;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #options: WebSocketOptions;
  readonly #channel: FrameChannel;
  readonly #closed: Promise<WebSocketEnd>;
  #end: WebSocketEnd | undefined;
  #pingsReceived = 0;
  #pongsReceived = 0;
  /** Control frames that may not stand inside a frame that is sent in pieces; `undefined`: none is. */
  #waitingControls: Buffer[] | undefined;
  #isResponding = false;
  #lastAnswer: Promise<void> = Promise.resolve();
  #pingTimer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, stream: Duplex, options: WebSocketOptions) {
    this.#socket = socket;
    this.#stream = stream;
    this.#options = options;
    this.answerPings = options.step.answerPings;
    this.memory = new ResponseMemory(options.served);
    this.#channel = this.#createChannel();
    this.#closed = this.#listen();
    const { pingEveryMs } = options.step;
    if (pingEveryMs !== undefined) this.#pingTimer = setInterval(() => this.ping(), pingEveryMs);
  }

  get handshake(): number {
    return this.#options.handshake.index;
  }

  get connection(): number {
    return this.#options.connection.index;
  }

  get extensions(): string {
    return this.#socket.extensions;
  }

  get pingsReceived(): number {
    return this.#pingsReceived;
  }

  get pongsReceived(): number {
    return this.#pongsReceived;
  }

  get path(): string {
    return this.#options.handshake.path;
  }

  get headers(): RecordedHandshake['headers'] {
    return this.#options.handshake.headers;
  }

  ping(words = ''): void {
    this.#sendControl(encodeFrame(OPCODES.ping, Buffer.from(words, 'utf8')));
  }

  sendEvent(fields: JsonObject): void {
    this.#sendControl(encodeFrame(OPCODES.text, Buffer.from(JSON.stringify(fields), 'utf8')));
  }

  close(code = 1000, reason = ''): void {
    this.#socket.close(code, reason);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  reset(): void {
    this.#options.connection.reset();
  }

  forgetResponses(): void {
    this.memory.forget();
  }

  waitForPings(count: number, options: WaitOptions = {}): Promise<void> {
    return this.#until(() => this.#pingsReceived >= count, { what: `${count} pings`, ...options });
  }

  waitForPongs(count: number, options: WaitOptions = {}): Promise<void> {
    return this.#until(() => this.#pongsReceived >= count, { what: `${count} pongs`, ...options });
  }

  ended(options: WaitOptions = {}): Promise<WebSocketEnd> {
    const what = `the end of WebSocket ${this.handshake}`;
    return this.#options.waiting.until(() => this.#end, { what, ...options });
  }

  /** Resolves when the connection is over and everything on it was answered or given up. */
  async whenDone(): Promise<void> {
    await this.#closed;
    await this.#lastAnswer;
  }

  /** The way out for the answer to one request of this connection. */
  openLine(request: RecordedRequest): AnswerLine {
    const readAlong = (parts: Iterable<StreamPart>): Iterable<StreamPart> =>
      this.memory.watch(request, parts, { onEnd: () => this.#channel.endResponse() });
    return createFrameLine(this.#channel, { readAlong });
  }

  async #until(holds: () => boolean, options: WaitOptions & { readonly what: string }): Promise<void> {
    await this.#options.waiting.until(() => (holds() ? true : undefined), options);
  }

  #createChannel(): FrameChannel {
    const offer = this.headers['sec-websocket-extensions'] ?? '';
    const isDeflating = this.extensions.includes('permessage-deflate') && !offer.includes('server_max_window_bits');
    return {
      socket: this.#stream,
      compress: this.#options.step.deflate === 'compress' && isDeflating,
      beginPieces: () => {
        this.#waitingControls ??= [];
      },
      endPieces: () => {
        const controls = this.#waitingControls ?? [];
        this.#waitingControls = undefined;
        for (const frame of controls) this.#sendControl(frame);
      },
      endResponse: () => {
        this.#isResponding = false;
      },
      close: ({ code, reason }: CloseFrame) => this.close(code, reason),
      reset: () => this.reset(),
      mute: () => {
        this.answerPings = false;
      },
    };
  }

  #sendControl(frame: Buffer): void {
    if (this.#waitingControls !== undefined) this.#waitingControls.push(frame);
    else if (this.#socket.readyState === this.#socket.OPEN) this.#stream.write(frame);
  }

  #listen(): Promise<WebSocketEnd> {
    const { waiting } = this.#options;
    this.#socket.on('ping', (payload: Buffer) => {
      this.#pingsReceived += 1;
      if (this.answerPings) this.#sendControl(encodeFrame(OPCODES.pong, payload));
      waiting.notify();
    });
    this.#socket.on('pong', () => {
      this.#pongsReceived += 1;
      waiting.notify();
    });
    this.#socket.on('message', (data: RawData, isBinary: boolean) => this.#receive(data, isBinary));
    // A connection that broke or broke the protocol: `close` follows and has the code.
    this.#socket.on('error', () => this.#stream.destroy());
    return new Promise((resolve) => {
      this.#socket.once('close', (code: number, reason: Buffer) => {
        clearInterval(this.#pingTimer);
        this.#end = { code, reason: reason.toString('utf8') };
        waiting.notify();
        resolve(this.#end);
      });
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    const frame: ReceivedFrame = {
      payload: data as Buffer, // the binary type is left at its default, which gives one buffer
      isBinary,
      bytesReceived: this.#options.connection.takeBytesReceived(),
      receivedAtMs: performance.timeOrigin + performance.now(),
    };
    if (this.#isResponding) this.#options.onEarlyFrame();
    this.#isResponding = true;
    // What a script sends behind the end of a response still goes before the next one.
    this.#lastAnswer = this.#lastAnswer.then(async () => {
      this.#isResponding = true;
      await this.#options.onFrame(frame, this);
      this.#isResponding = false;
    });
  }
}
