import type { Clock } from '@quire/core';
import {
  isJsonObject,
  type JsonObject,
  ModelError,
  type ModelEvent,
  objectAt,
  type ResponseItem,
} from '@quire/protocol';
import { BoundedQueue } from '@quire/streams';
import { headerInEvent } from '../events/server-headers.ts';
import type { WireDecoder } from '../events/wire-decoder.ts';
import type { ModelClientObserver, StreamProblem } from '../observer.ts';
import type { FrameSink, ResponsesSocket } from './responses-socket.ts';

/** Batches (one for each read of the socket) held for a slow reader before the socket is paused. */
const QUEUE_CAPACITY = 8;
/** How often a silent model is reported. */
const SILENCE_REPORT_MS = 30_000;

export interface ResponseStreamOptions {
  readonly decoder: WireDecoder;
  /** Comes before everything that the server sends. */
  readonly startEvents: readonly ModelEvent[];
  /** Longest silence of the model, however alive the server is. Milliseconds. Error: ModelError 'idle-timeout'. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly observer: ModelClientObserver;
  /** Makes the error of an `error` event; `into` takes what it says on the side. */
  readonly toError: (event: JsonObject, into: ModelEvent[]) => ModelError;
  readonly onTurnState: (value: string) => void;
  /** Id of the response before this one on the connection: its late events are not ours. */
  readonly previousResponseId: string | undefined;
  /** The response is complete. `items` are those that the server says it holds, or `undefined` if that is not sure. */
  readonly onCompleted: (responseId: string, items: readonly ResponseItem[] | undefined) => void;
  /** A frame that comes when nothing is under way. */
  readonly onIdleFrame: (text: string) => void;
}

/**
 * Reads one response from a WebSocket.
 *
 * A read of the connection delivers many frames in a row, each its own event; they are decoded where they
 * arrive, and what one read brought is handed over as one batch, in a microtask. The stream is over with
 * the first of: completion (the socket stays), failure, loss, silence, abort, `close()` (it is dropped, and
 * before the error is delivered).
 */
export class ResponseStream implements FrameSink {
  readonly #socket: ResponsesSocket;
  readonly #options: ResponseStreamOptions;
  readonly #queue = new BoundedQueue<readonly ModelEvent[]>({ capacity: QUEUE_CAPACITY });
  readonly #items: ResponseItem[] = [];
  #batch: ModelEvent[];
  #flushPlanned = false;
  /** The reader lags: what still comes out of the socket's buffers waits in the batch. */
  #paused = false;
  #sawEvent = false;
  /** Something of this response has arrived. */
  #begun = false;
  #finished = false;
  #idleTimer: NodeJS.Timeout;
  #reportTimer: NodeJS.Timeout;
  #lastEventMs: number;
  #lastPollMs: number;

  constructor(socket: ResponsesSocket, options: ResponseStreamOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#batch = [...options.startEvents];
    this.#lastEventMs = options.clock.now();
    this.#lastPollMs = this.#lastEventMs;
    this.#idleTimer = setTimeout(this.#onIdle, options.idleTimeoutMs);
    this.#reportTimer = setTimeout(this.#onSilence, SILENCE_REPORT_MS);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#onAbort();
  }

  /** Batches of events; completes after `response-end`, else throws. Taken once. */
  batches(): AsyncIterableIterator<readonly ModelEvent[], undefined> {
    return this.#queue.iterate({ signal: this.#options.signal });
  }

  /** The reader has left: the connection is dropped unless the response was already over. */
  close(): void {
    if (this.#finish()) this.#socket.drop();
  }

  onText(text: string): void {
    if (this.#finished) return;
    if (!this.#flushPlanned) {
      this.#flushPlanned = true;
      queueMicrotask(this.#flush);
    }
    let raw: unknown;
    try {
      raw = JSON.parse(text);
    } catch {
      this.#skip('not-json');
      return;
    }
    const type = isJsonObject(raw) ? raw['type'] : undefined;
    if (!isJsonObject(raw) || typeof type !== 'string') {
      this.#skip('no-type');
      return;
    }
    this.#sawEvent = true;
    const { observer } = this.#options;
    if (observer.streamPoll !== undefined) {
      observer.streamPoll({ result: 'event', type, count: 1, durationMs: this.#sincePoll() }, 'websocket');
    }
    try {
      this.#take(type, raw);
    } catch (error) {
      this.#fail(error);
    }
  }

  onBinary(): void {
    this.#fail(
      new ModelError('stream-protocol', 'the server sent a binary frame, which the protocol does not know', {
        retryable: true,
        transportFailure: { kind: 'bad-frame' },
      }),
    );
  }

  onLost(error: ModelError): void {
    this.#options.observer.streamPoll?.({ result: 'end', durationMs: this.#sincePoll() }, 'websocket');
    this.#fail(error);
  }

  #take(type: string, raw: JsonObject): void {
    const { decoder, observer } = this.#options;
    switch (type) {
      case 'error':
        throw this.#options.toError(raw, this.#batch);
      case 'response.metadata':
        this.#noteTurnState(raw);
        break;
      case 'responsesapi.websocket_timing':
        observer.serverTiming?.(objectAt(raw, 'timing_metrics') ?? {});
        return;
      case 'response.completed':
        if (this.#isLate(raw)) return;
        break;
      default:
    }
    this.#begun = true;
    const before = this.#batch.length;
    const outcome = decoder.decode(type, raw, this.#batch);
    if (outcome === 'skipped') observer.streamProblem?.({ kind: 'missing-fields', type });
    else if (type === 'response.output_item.done') this.#noteItem();
    else if (outcome === 'completed') this.#complete(this.#batch.length - before);
  }

  #noteItem(): void {
    const event = this.#batch.at(-1);
    if (event?.kind === 'item-end') this.#items.push(event.item);
  }

  /** `added` counts the events that came of the completion; more than one means that items were repaired. */
  #complete(added: number): void {
    const end = this.#batch.at(-1);
    if (!this.#finish()) return;
    this.#queue.push(this.#batch);
    this.#socket.end(this.#options.onIdleFrame);
    if (end?.kind === 'response-end') {
      const repaired = added > 1;
      this.#options.onCompleted(end.responseId, repaired ? undefined : this.#items);
    }
    this.#queue.close();
  }

  #isLate(raw: JsonObject): boolean {
    const { previousResponseId } = this.#options;
    if (this.#begun || previousResponseId === undefined) return false;
    return objectAt(raw, 'response')?.['id'] === previousResponseId;
  }

  #noteTurnState(raw: JsonObject): void {
    const headers = objectAt(raw, 'headers');
    const state = headers && headerInEvent(headers, 'x-codex-turn-state');
    if (state !== undefined) this.#options.onTurnState(state);
  }

  #skip(kind: StreamProblem['kind']): void {
    const { observer } = this.#options;
    observer.streamPoll?.({ result: 'parse-error', durationMs: this.#sincePoll() }, 'websocket');
    observer.streamProblem?.({ kind, type: undefined });
  }

  /** After the last frame of a read. */
  readonly #flush = (): void => {
    this.#flushPlanned = false;
    if (this.#finished) return;
    if (this.#sawEvent) {
      this.#sawEvent = false;
      this.#lastEventMs = this.#options.clock.now();
      if (!this.#paused) {
        this.#idleTimer.refresh();
        this.#reportTimer.refresh();
      }
    }
    if (this.#batch.length === 0 || this.#paused) return;
    const hasRoom = this.#queue.push(this.#batch);
    this.#batch = [];
    if (!hasRoom) this.#pause();
  };

  #pause(): void {
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#reportTimer);
    this.#paused = true;
    this.#socket.pause();
    this.#queue.drained().then(
      () => {
        if (this.#finished) return;
        this.#idleTimer = setTimeout(this.#onIdle, this.#options.idleTimeoutMs);
        this.#reportTimer = setTimeout(this.#onSilence, SILENCE_REPORT_MS);
        this.#paused = false;
        this.#socket.resume();
        this.#flush();
      },
      () => undefined, // The reader has left; close() or the abort deals with the socket.
    );
  }

  readonly #onSilence = (): void => {
    if (this.#finished) return;
    const silentMs = this.#options.clock.now() - this.#lastEventMs;
    this.#queue.push([{ kind: 'model-silent', silentMs, peerAlive: true }]);
    this.#reportTimer = setTimeout(this.#onSilence, SILENCE_REPORT_MS);
  };

  readonly #onIdle = (): void => {
    this.#options.observer.streamPoll?.({ result: 'timeout', durationMs: this.#sincePoll() }, 'websocket');
    this.#fail(
      new ModelError('idle-timeout', `the model was silent for ${this.#options.idleTimeoutMs} ms`, {
        retryable: true,
        transportFailure: { kind: 'silence' },
      }),
    );
  };

  readonly #onAbort = (): void => {
    if (!this.#finish()) return;
    this.#socket.drop();
    this.#queue.fail(this.#options.signal.reason);
  };

  #fail(error: unknown): void {
    if (!this.#finish()) return;
    this.#socket.drop();
    if (this.#batch.length > 0) this.#queue.push(this.#batch);
    this.#queue.fail(error);
  }

  /** True for the first caller. Removes the listener and the timers. */
  #finish(): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#reportTimer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    return true;
  }

  #sincePoll(): number {
    const now = this.#options.clock.now();
    const elapsed = now - this.#lastPollMs;
    this.#lastPollMs = now;
    return elapsed;
  }
}
