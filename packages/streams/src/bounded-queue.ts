export interface BoundedQueueOptions {
  /** Number of values at which `push` begins to say that there is no more room. At least 1. */
  readonly capacity: number;
  /**
   * Number of values at which a producer that does not listen gets a QueueOverflowError. Default: 16
   * times the capacity, so that a source that stops with some delay does no harm.
   */
  readonly hardLimit?: number;
}

/** The producer ignored that there was no room. */
export class QueueOverflowError extends Error {
  override readonly name = 'QueueOverflowError';
  readonly code = 'queue-overflow';

  constructor(hardLimit: number) {
    super(`the queue holds ${hardLimit} values already; wait for drained() when push() returns false`);
  }
}

/** Nobody will read what is pushed from now on. */
export class QueueClosedError extends Error {
  override readonly name = 'QueueClosedError';
  readonly code = 'queue-closed';

  constructor() {
    super('the reader of the queue has left');
  }
}

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

type QueueState =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The reader left; what is pushed is dropped. */
  | { readonly kind: 'abandoned' };

/**
 * One producer that pushes, one reader that iterates, and a bound between them.
 *
 * The reader gets every value in order, then the end or the error. If its signal fires, or it leaves
 * the iteration, the values that are left are dropped at once.
 */
export class BoundedQueue<T> {
  readonly #capacity: number;
  readonly #hardLimit: number;
  #values: T[] = [];
  /** Index of the next value to read; the part before it is cut off now and then. */
  #head = 0;
  #state: QueueState = { kind: 'open' };
  #reader: Waiter<IteratorResult<T, undefined>> | undefined;
  #producers: Waiter<void>[] = [];
  #consumed = false;

  constructor(options: BoundedQueueOptions) {
    if (!(options.capacity >= 1)) throw new RangeError('the capacity of a queue is at least 1');
    this.#capacity = options.capacity;
    this.#hardLimit = options.hardLimit ?? options.capacity * 16;
  }

  /** Values that wait for the reader. */
  get length(): number {
    return this.#values.length - this.#head;
  }

  /**
   * Adds a value. `false`: there is no room for another one, wait for `drained()`. After the queue was
   * closed, failed or left by its reader the value is dropped and the answer is `false`.
   */
  push(value: T): boolean {
    if (this.#state.kind !== 'open') return false;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: false, value });
      return true;
    }
    if (this.length >= this.#hardLimit) throw new QueueOverflowError(this.#hardLimit);
    this.#values.push(value);
    return this.length < this.#capacity;
  }

  /** Resolves when there is room, or no more is needed; rejects with QueueClosedError when the reader has left. */
  drained(): Promise<void> {
    if (this.#state.kind === 'abandoned') return Promise.reject(new QueueClosedError());
    if (this.#state.kind !== 'open' || this.length < this.#capacity) return Promise.resolve();
    return new Promise((resolve, reject) => this.#producers.push({ resolve, reject }));
  }

  /** No more values. What was pushed is still delivered. Closing twice is fine. */
  close(): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'closed' };
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
    this.#releaseProducers();
  }

  /** Ends with `error`, after what was pushed. Does nothing when the queue has ended already. */
  fail(error: unknown): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'failed', error };
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#releaseProducers();
  }

  /**
   * The reading side; can be taken once. When `signal` fires, the waiting or the next read rejects with
   * its reason, and the iteration is over.
   */
  iterate(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<T, undefined> {
    if (this.#consumed) throw new TypeError('a queue is read once');
    this.#consumed = true;
    return new QueueIterator(this, options.signal);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return this.iterate();
  }

  /** @internal For the iterator only. */
  read(): Promise<IteratorResult<T, undefined>> {
    if (this.length > 0) return Promise.resolve({ done: false, value: this.#shift() });
    switch (this.#state.kind) {
      case 'failed': {
        const { error } = this.#state;
        this.#state = { kind: 'closed' };
        return Promise.reject(error);
      }
      case 'open':
        if (this.#reader !== undefined) return Promise.reject(new TypeError('the previous read is not over'));
        return new Promise((resolve, reject) => {
          this.#reader = { resolve, reject };
        });
      default:
        return Promise.resolve({ done: true, value: undefined });
    }
  }

  /** @internal For the iterator only. Drops what is left and lets a waiting read reject with `error`. */
  abandon(error: unknown): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#values = [];
    this.#head = 0;
    if (this.#state.kind === 'open') this.#state = { kind: 'abandoned' };
    else if (this.#state.kind === 'failed') this.#state = { kind: 'closed' };
    reader?.reject(error);
    const producers = this.#producers;
    this.#producers = [];
    for (const producer of producers) producer.reject(new QueueClosedError());
  }

  #shift(): T {
    // The caller looked at the length.
    const value = this.#values[this.#head] as T;
    this.#head += 1;
    if (this.#head === this.#values.length) {
      this.#values = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    if (this.#producers.length > 0 && this.length < this.#capacity) this.#releaseProducers();
    return value;
  }

  #releaseProducers(): void {
    const producers = this.#producers;
    this.#producers = [];
    for (const producer of producers) producer.resolve();
  }
}

class QueueIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #queue: BoundedQueue<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#queue.abandon(this.#signal?.reason);
  #done = false;

  constructor(queue: BoundedQueue<T>, signal: AbortSignal | undefined) {
    this.#queue = queue;
    this.#signal = signal;
    if (signal?.aborted) queue.abandon(signal.reason);
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#done) return { done: true, value: undefined };
    try {
      this.#signal?.throwIfAborted();
      const result = await this.#queue.read();
      // Between the resolution and this line the signal may have fired: then nothing is delivered.
      this.#signal?.throwIfAborted();
      if (result.done === true) this.#finish();
      return result;
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#done) {
      this.#finish();
      this.#queue.abandon(new QueueClosedError());
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(): void {
    this.#done = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
