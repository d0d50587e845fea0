import type { IncomingMessage } from 'node:http';
import type { Clock } from '@quire/core';
import { ModelError, type ModelEvent } from '@quire/protocol';
import { BoundedQueue, SseDecoder, SseEventTooLargeError } from '@quire/streams';
import { destroyBody, releaseBody } from '../http/body.ts';
import type { ModelClientObserver, StreamProblem } from '../observer.ts';
import type { CodecReport, SseCodec } from './sse-codec.ts';

/** Batches (one for each network chunk) held for a slow reader before the socket is paused. */
const QUEUE_CAPACITY = 8;

export interface SseStreamOptions {
  readonly codec: SseCodec;
  /**
   * Longest silence between two events; comments do not end it. Unit: milliseconds. Error: ModelError
   * 'idle-timeout'. Does not run while the socket is paused for a slow reader.
   */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly observer: ModelClientObserver;
  readonly requestId: string | undefined;
}

/**
 * Reads the body of a streamed response.
 *
 * Chunks are decoded where they arrive, into one array of events each; a bounded queue hands those to
 * the reader and pauses the socket when it lags. The stream is over with the first of: completion,
 * failure, end of the body, silence, abort, `close()`.
 */
export class SseStream implements CodecReport {
  readonly #body: IncomingMessage;
  readonly #options: SseStreamOptions;
  readonly #queue = new BoundedQueue<readonly ModelEvent[]>({ capacity: QUEUE_CAPACITY });
  readonly #sse = new SseDecoder();
  #idleTimer: NodeJS.Timeout;
  #batch: ModelEvent[] = [];
  #sawEvent = false;
  #completed = false;
  #finished = false;
  #lastPollMs: number;
  readonly #tellsEvents: boolean;
  /** Events of one type in a row, of one chunk, that the observer has not been told of. Fields, for there are many. */
  #runType: string | undefined;
  #runCount = 0;
  #runDurationMs = 0;

  constructor(body: IncomingMessage, options: SseStreamOptions) {
    this.#body = body;
    this.#options = options;
    this.#tellsEvents = options.observer.streamPoll !== undefined;
    this.#lastPollMs = options.clock.now();
    this.#idleTimer = setTimeout(this.#onIdle, options.idleTimeoutMs);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    body.on('data', this.#onChunk).on('end', this.#onEnd).on('error', this.#onBodyError).on('close', this.#onEnd);
    if (options.signal.aborted) this.#onAbort();
  }

  /** Batches of events; completes after `response-end`, else throws. Taken once. */
  batches(): AsyncIterableIterator<readonly ModelEvent[], undefined> {
    return this.#queue.iterate({ signal: this.#options.signal });
  }

  /** The reader has left: the socket is destroyed unless the response was already over. */
  close(): void {
    if (this.#finish()) destroyBody(this.#body);
  }

  readonly #onChunk = (chunk: Buffer): void => {
    this.#batch = [];
    let failure: unknown;
    try {
      this.#sse.push(chunk, this.#onData);
    } catch (error) {
      failure = error instanceof SseEventTooLargeError ? this.#tooLarge(error) : error;
    }
    this.#tellRun();
    const hasRoom = this.#batch.length === 0 || this.#queue.push(this.#batch);
    if (failure !== undefined) {
      this.#queue.fail(failure);
      if (this.#finish()) releaseBody(this.#body);
    } else if (this.#completed) {
      this.#queue.close();
      if (this.#finish()) releaseBody(this.#body);
    } else if (!hasRoom) {
      this.#pause();
    } else if (this.#sawEvent) {
      this.#idleTimer.refresh();
    }
    this.#sawEvent = false;
  };

  readonly #onData = (data: string): void => {
    if (this.#completed) return;
    this.#sawEvent = true;
    this.#completed = this.#options.codec.data(data, this.#batch, this);
  };

  /** For the codec. */
  event(type: string): void {
    if (!this.#tellsEvents) return;
    if (type === this.#runType) {
      this.#runCount += 1;
      return;
    }
    this.#tellRun();
    this.#runType = type;
    this.#runCount = 1;
    this.#runDurationMs = this.#sincePoll();
  }

  #tellRun(): void {
    const type = this.#runType;
    if (type === undefined) return;
    this.#runType = undefined;
    const [count, durationMs] = [this.#runCount, this.#runDurationMs];
    this.#options.observer.streamPoll?.({ result: 'event', type, count, durationMs });
  }

  /** For the codec. */
  problem(problem: StreamProblem): void {
    const { observer } = this.#options;
    this.#tellRun();
    if (problem.kind !== 'missing-fields') {
      observer.streamPoll?.({ result: 'parse-error', durationMs: this.#sincePoll() });
    }
    observer.streamProblem?.(problem);
  }

  #pause(): void {
    clearTimeout(this.#idleTimer);
    this.#body.pause();
    this.#queue.drained().then(
      () => {
        if (this.#finished) return;
        this.#idleTimer = setTimeout(this.#onIdle, this.#options.idleTimeoutMs);
        this.#body.resume();
      },
      () => undefined, // The reader has left; close() or the abort deals with the body.
    );
  }

  /** The body ended, or its socket closed, without a completion. */
  readonly #onEnd = (): void => this.#breakOff({});
  readonly #onBodyError = (error: Error): void => this.#breakOff({ cause: error });

  #breakOff({ cause }: { readonly cause?: Error }): void {
    if (!this.#finish()) return;
    const { observer, codec, requestId } = this.#options;
    observer.streamPoll?.({ result: 'end', durationMs: this.#sincePoll() });
    const rest: ModelEvent[] = [];
    if (cause === undefined && codec.end(rest)) {
      this.#queue.push(rest);
      this.#queue.close();
      releaseBody(this.#body);
      return;
    }
    const serverError = codec.reportedError === undefined ? undefined : new Error(codec.reportedError);
    this.#queue.fail(
      new ModelError('stream-truncated', 'stream closed before response.completed', {
        retryable: true,
        requestId,
        cause: cause ?? serverError,
      }),
    );
    destroyBody(this.#body);
  }

  readonly #onIdle = (): void => {
    if (!this.#finish()) return;
    this.#options.observer.streamPoll?.({ result: 'timeout', durationMs: this.#sincePoll() });
    this.#queue.fail(
      new ModelError('idle-timeout', `the stream was silent for ${this.#options.idleTimeoutMs} ms`, {
        retryable: true,
        requestId: this.#options.requestId,
      }),
    );
    destroyBody(this.#body);
  };

  readonly #onAbort = (): void => {
    if (!this.#finish()) return;
    this.#queue.fail(this.#options.signal.reason);
    destroyBody(this.#body);
  };

  /** True for the first caller. Removes every listener and the timer. */
  #finish(): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    clearTimeout(this.#idleTimer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    const body = this.#body;
    body.off('data', this.#onChunk).off('end', this.#onEnd).off('error', this.#onBodyError).off('close', this.#onEnd);
    return true;
  }

  #tooLarge(cause: SseEventTooLargeError): ModelError {
    return new ModelError('stream-protocol', cause.message, {
      retryable: false,
      requestId: this.#options.requestId,
      cause,
    });
  }

  /** Milliseconds since the last poll; only asked for when somebody listens. */
  #sincePoll(): number {
    const now = this.#options.clock.now();
    const elapsed = now - this.#lastPollMs;
    this.#lastPollMs = now;
    return elapsed;
  }
}
