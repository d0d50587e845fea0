import type { Duplex } from 'node:stream';
import { ModelError } from '@quire/protocol';
import type { WebSocket } from 'ws';
import type { ResponseHeaders } from '../http/headers-in.ts';
import type { Continuation } from './continuation.ts';
import { Liveness } from './liveness.ts';
import { readTextFrames } from './text-frames.ts';

/** Where the frames of the response under way go. Called synchronously as frames are read. */
export interface FrameSink {
  onText(text: string): void;
  onBinary(): void;
  /** The connection is gone. Last call. */
  onLost(error: ModelError): void;
}

export interface ResponsesSocketOptions {
  readonly socket: WebSocket;
  /** The connection below. */
  readonly raw: Duplex;
  /** Headers of the answer to the upgrade. */
  readonly headers: ResponseHeaders;
  /** Equal keys may share a connection: same address, same account. */
  readonly key: string;
  /** `host:port`, for messages. */
  readonly host: string;
  readonly pingIntervalMs: number;
  readonly now: () => number;
  readonly onPong: (roundTripMs: number) => void;
}

/**
 * One open WebSocket to the provider, with at most one response under way. Pings keep watch over it as
 * long as it lives. While nothing is under way it does not keep the process alive.
 */
export class ResponsesSocket {
  readonly headers: ResponseHeaders;
  readonly key: string;
  /** What the server holds; `undefined` while a request is under way and after one that failed. */
  continuation: Continuation | undefined;
  /** Responses begun on this connection. */
  requests = 0;
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #host: string;
  readonly #liveness: Liveness;
  #sink: FrameSink | undefined;
  #idleListener: ((text: string) => void) | undefined;
  #lost = false;

  constructor(options: ResponsesSocketOptions) {
    const { socket } = options;
    this.headers = options.headers;
    this.key = options.key;
    this.#socket = socket;
    this.#raw = options.raw;
    this.#host = options.host;
    this.#liveness = new Liveness(socket, {
      pingIntervalMs: options.pingIntervalMs,
      now: options.now,
      onDead: () => this.#lose(this.#failure('dead-peer', 'does not answer pings any more')),
      onPong: options.onPong,
    });
    readTextFrames(options.raw, this.#onText);
    socket.on('message', this.#onMessage).on('pong', this.#onPong).on('ping', this.#onPing);
    socket.on('close', this.#onClose).on('error', this.#onError);
    this.#keepAlive(/* alive */ false);
  }

  get usable(): boolean {
    return !this.#lost && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Bytes on the connection since it was opened. A connection without counters counts as 0. */
  get bytes(): { readonly sent: number; readonly received: number } {
    const { bytesWritten = 0, bytesRead = 0 } = this.#raw as { bytesWritten?: number; bytesRead?: number };
    return { sent: bytesWritten, received: bytesRead };
  }

  /** Sends a request. `sink` gets every frame until `end()` or `drop()`. */
  begin(frame: Buffer, sink: FrameSink): void {
    if (!this.usable) throw this.#failure('reset', 'closed the connection');
    this.#sink = sink;
    this.#idleListener = undefined;
    this.requests += 1;
    this.#keepAlive(/* alive */ true);
    // A failed write also closes the socket, and that is what tells the sink.
    this.#socket.send(frame, { binary: false }, ignoreWriteError);
  }

  /** The response is over and the connection stays. Frames that come now go to `onIdleFrame`. */
  end(onIdleFrame: (text: string) => void): void {
    this.#sink = undefined;
    if (this.#lost) return;
    this.#idleListener = onIdleFrame;
    this.resume();
    this.#keepAlive(/* alive */ false);
  }

  /** Cuts the connection, without a close handshake. Doing it twice is fine. */
  drop(): void {
    this.#lost = true;
    this.#sink = undefined;
    this.#liveness.stop();
    const socket = this.#socket;
    socket.off('message', this.#onMessage).off('pong', this.#onPong).off('ping', this.#onPing);
    socket.off('close', this.#onClose);
    socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  readonly #onMessage = (data: unknown, isBinary: boolean): void => {
    if (isBinary) {
      this.#liveness.heard();
      if (this.#sink === undefined) this.drop();
      else this.#sink.onBinary();
      return;
    }
    // The default binary type of `ws`: one Buffer for each message.
    this.#onText((data as Buffer).toString());
  };

  readonly #onText = (text: string): void => {
    if (this.#lost) return;
    this.#liveness.heard();
    if (this.#sink !== undefined) this.#sink.onText(text);
    else this.#idleListener?.(text);
  };

  readonly #onPong = (): void => this.#liveness.pong();
  readonly #onPing = (): void => this.#liveness.heard();

  readonly #onClose = (code: number, reason: Buffer): void => {
    if (code === NO_CLOSE_FRAME) {
      this.#lose(this.#failure('reset', 'broke the connection'));
      return;
    }
    const text = reason.length === 0 ? '' : `: ${reason.toString('utf8').slice(0, 200)}`;
    this.#lose(
      new ModelError('stream-truncated', `${this.#host} closed the WebSocket (code ${code}${text})`, {
        retryable: true,
        transportFailure: { kind: 'close-code', closeCode: code },
      }),
    );
  };

  /** After the handshake only a frame that breaks the protocol comes here; also what follows a drop. */
  readonly #onError = (error: Error): void => {
    if (this.#lost) return;
    this.#lose(this.#failure('bad-frame', 'sent a frame that can not be understood', error));
  };

  #lose(error: ModelError): void {
    if (this.#lost) return;
    const sink = this.#sink;
    this.drop();
    sink?.onLost(error);
  }

  #failure(kind: 'reset' | 'dead-peer' | 'bad-frame', what: string, cause?: Error): ModelError {
    const code = kind === 'bad-frame' ? 'stream-protocol' : 'stream-truncated';
    return new ModelError(code, `${this.#host} ${what} before response.completed`, {
      retryable: true,
      transportFailure: { kind },
      cause,
    });
  }

  #keepAlive(alive: boolean): void {
    const raw = this.#raw as { ref?: () => void; unref?: () => void };
    if (alive) raw.ref?.();
    else raw.unref?.();
  }
}

/** What `ws` reports when the connection ended without a close frame. */
const NO_CLOSE_FRAME = 1006;

function ignoreWriteError(): void {
  // The socket reports its own end; a second report helps nobody.
}
