import type { Writable } from 'node:stream';

/** Bytes of a body, or a silence inside it. */
export type Block = Uint8Array | { readonly pauseMs: number };

export interface WriteBodyOptions {
  /** Stops the writing: the client left or the simulator closes. */
  readonly signal: AbortSignal;
  readonly chunkBytes?: number;
  /** True: each piece is handed to the system before the next is written. Needed where no chunk marks a piece. */
  readonly isolatesPieces?: boolean;
  readonly maxBytes?: number;
}

/**
 * Writes blocks with backpressure: a block is asked for only when the socket took the one before. Resolves when the
 * last byte was handed to the system or `signal` fired; does not end `target`.
 */
export async function writeBody(target: Writable, blocks: Iterable<Block>, options: WriteBodyOptions): Promise<void> {
  const flow = new Flow(target, options.signal);
  let remaining = options.maxBytes ?? Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    if (!(block instanceof Uint8Array)) {
      await flow.flushed();
      await delayFor(block.pauseMs, options);
      continue;
    }
    const kept = block.length > remaining ? block.subarray(0, remaining) : block;
    remaining -= kept.length;
    for (const piece of cut(kept, options.chunkBytes)) {
      if (options.signal.aborted) return;
      if (!flow.write(piece) || options.isolatesPieces === true) await flow.flushed();
    }
    if (remaining <= 0) break;
  }
  await flow.flushed();
}

function* cut(block: Uint8Array, chunkBytes: number | undefined): Generator<Uint8Array> {
  if (chunkBytes === undefined) {
    if (block.length > 0) yield block;
    return;
  }
  const size = Math.max(1, Math.floor(chunkBytes));
  for (let start = 0; start < block.length; start += size) yield block.subarray(start, start + size);
}

/** Counts the writes the system has not taken yet: one callback for all, however many pieces there are. */
class Flow {
  readonly #target: Writable;
  readonly #signal: AbortSignal;
  #outstanding = 0;
  #onFlushed: (() => void) | undefined;
  readonly #onWritten = (): void => {
    this.#outstanding -= 1;
    if (this.#outstanding === 0) this.#onFlushed?.();
  };

  constructor(target: Writable, signal: AbortSignal) {
    this.#target = target;
    this.#signal = signal;
  }

  /** False: wait for `flushed` before the next write. */
  write(piece: Uint8Array): boolean {
    this.#outstanding += 1;
    return this.#target.write(piece, this.#onWritten);
  }

  /** Resolves when nothing is outstanding or the signal fired. */
  flushed(): Promise<void> {
    if (this.#outstanding === 0 || this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#signal.removeEventListener('abort', settle);
        this.#onFlushed = undefined;
        resolve();
      };
      this.#onFlushed = settle;
      this.#signal.addEventListener('abort', settle, { once: true });
    });
  }
}

/** Resolves after the time or when `signal` fires, whichever is first. */
export function delayFor(delayMs: number, options: { readonly signal: AbortSignal }): Promise<void> {
  const { signal } = options;
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    const timer = setTimeout(settle, delayMs);
    signal.addEventListener('abort', settle, { once: true });
  });
}
