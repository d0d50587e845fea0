import { fstatSync } from 'node:fs';

/** Where text goes. Writes keep their order, are never merged with others and never throw. */
export interface TextSink {
  readonly isTerminal: boolean;
  /** The width of the terminal; absent where it is none or does not tell. */
  readonly columns?: number | undefined;
  write(text: string): void;
  /** Resolves when everything written so far was taken by the reader, or the sink failed. */
  flush(): Promise<void>;
}

export interface SinkFailure {
  /** The reader went away, as opposed to a write that failed for another reason (a full disk). */
  readonly readerGone: boolean;
  readonly message: string;
}

const READER_GONE = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/**
 * A sink over stdout or stderr.
 *
 * Writes go through the platform's stream and not through `writeSync`: on a full pipe `writeSync` either blocks the
 * event loop, so that a signal could no longer interrupt the turn, or fails with `EAGAIN` and would have to spin.
 * The stream keeps what the reader has not taken yet, in order, and tells when it is gone.
 */
export class StandardSink implements TextSink {
  readonly #openStream: () => NodeJS.WriteStream;
  readonly #onFailure: (failure: SinkFailure) => void;
  #stream: NodeJS.WriteStream | undefined;
  #failed = false;

  /**
   * @param options.open called at the first use, since the first access to a standard stream costs milliseconds
   * @param options.onFailure called at most once; must not throw
   */
  constructor(options: {
    readonly open: () => NodeJS.WriteStream;
    readonly onFailure: (failure: SinkFailure) => void;
  }) {
    this.#openStream = options.open;
    this.#onFailure = options.onFailure;
  }

  get isTerminal(): boolean {
    return this.#open().isTTY === true;
  }

  get columns(): number | undefined {
    const { isTTY, columns } = this.#open();
    return isTTY === true && columns > 0 ? columns : undefined;
  }

  write(text: string): void {
    if (this.#failed || text === '') return;
    try {
      this.#open().write(text);
    } catch (error) {
      this.#fail(error); // the platform's stream over a file throws, others emit
    }
  }

  flush(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || this.#failed) return Promise.resolve();
    return new Promise((resolve) => {
      // A write that was taken or refused at once still tells of its failure in a later tick.
      if (stream.writableLength === 0) setImmediate(resolve);
      else stream.write('', () => resolve());
    });
  }

  #open(): NodeJS.WriteStream {
    if (this.#stream === undefined) {
      this.#stream = this.#openStream();
      this.#stream.on('error', (error) => this.#fail(error));
    }
    return this.#stream;
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    this.#onFailure({
      readerGone: READER_GONE.has(code),
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Whether two descriptors end at the same place, as after `2>&1`. */
export function isSameSink(left: number, right: number): boolean {
  try {
    const leftStat = fstatSync(left);
    const rightStat = fstatSync(right);
    return leftStat.dev === rightStat.dev && leftStat.ino === rightStat.ino;
  } catch {
    return false; // a descriptor that can not be asked shares nothing
  }
}
