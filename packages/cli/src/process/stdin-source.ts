import { fstatSync, readSync } from 'node:fs';
import { isatty } from 'node:tty';
import { createProducerLookup, type PipeProducer } from './pipe-producer.ts';

/** `stream`: a pipe or a socket, which may stay silent for ever. `empty`: closed, `/dev/null` or another device. */
export type StdinKind = 'terminal' | 'file' | 'stream' | 'empty';

export interface StdinReadOptions {
  readonly maxBytes: number;
  /** Silence accepted before the first byte, in milliseconds; then the outcome is `silent`. Default: any. */
  readonly firstByteTimeoutMs?: number;
  /** Silence accepted after the first byte, in milliseconds; then the outcome is `stalled`. Default: any. */
  readonly silenceTimeoutMs?: number;
  /**
   * Any silence is accepted as long as a process beside this one can still write to the pipe. Called once, when a
   * silence has been accepted for that reason.
   */
  readonly onProducer?: (producer: PipeProducer) => void;
  /** Called once when nothing came for this long. */
  readonly onQuiet?: { readonly afterMs: number; readonly notify: () => void };
  readonly signal: AbortSignal;
}

export type StdinOutcome =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'silent' }
  | { readonly kind: 'stalled'; readonly byteCount: number }
  | { readonly kind: 'too-large' };

export interface StdinSource {
  /** Costs one system call; opens nothing. */
  kind(): StdinKind;
  /**
   * Reads to the end. Afterwards stdin does not keep the process alive, whatever the outcome.
   * Rejects with the abort reason, or with the system's error.
   */
  read(options: StdinReadOptions): Promise<StdinOutcome>;
}

const CHUNK_BYTES = 65_536;
/** Time between two looks whether the producer of a silent pipe is still there. */
const PRODUCER_LOOK_MS = 500;

export class StandardInput implements StdinSource {
  kind(): StdinKind {
    try {
      const stat = fstatSync(0);
      if (stat.isFIFO() || stat.isSocket()) return 'stream';
      if (stat.isFile()) return 'file';
      return isatty(0) ? 'terminal' : 'empty';
    } catch {
      return 'empty'; // a closed descriptor holds nothing
    }
  }

  async read(options: StdinReadOptions): Promise<StdinOutcome> {
    options.signal.throwIfAborted();
    const kind = this.kind();
    return kind === 'file' || kind === 'empty' ? readNow(options.maxBytes) : await readStream(options);
  }
}

/** Files and devices never wait for a writer, so they are read in one go. */
function readNow(maxBytes: number): StdinOutcome {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readSync(0, chunk);
    if (count === 0) return { kind: 'read', bytes: Buffer.concat(chunks) };
    total += count;
    if (total > maxBytes) return { kind: 'too-large' };
    chunks.push(chunk.subarray(0, count));
  }
}

function readStream(options: StdinReadOptions): Promise<StdinOutcome> {
  const stream = process.stdin;
  const { signal, onQuiet } = options;
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let total = 0;
    let endSilence: (() => void) | undefined;
    const findProducer = createProducerLookup(/* descriptor */ 0);
    let isProducerTold = false;
    const endQuiet = onQuiet && afterSilence(onQuiet.afterMs, onQuiet.notify);

    const settle = (finish: () => void): void => {
      endSilence?.();
      endQuiet?.();
      signal.removeEventListener('abort', onAbort);
      stream.off('data', onData).off('end', onEnd).off('error', onError);
      // Paused and not destroyed: closing it would hand a writer that comes late a broken pipe.
      stream.pause();
      stream.unref();
      finish();
    };
    const expire = (outcome: () => StdinOutcome, afterMs: number | undefined): void => {
      endSilence?.();
      if (afterMs === undefined) return;
      endSilence = afterSilence(afterMs, () => {
        const producer = options.onProducer && findProducer();
        if (producer === undefined) {
          settle(() => resolve(outcome()));
          return;
        }
        if (!isProducerTold) options.onProducer?.(producer);
        isProducerTold = true;
        expire(outcome, PRODUCER_LOOK_MS);
      });
    };
    const onData = (chunk: Uint8Array): void => {
      endQuiet?.();
      chunks.push(chunk);
      total += chunk.length;
      if (total > options.maxBytes) settle(() => resolve({ kind: 'too-large' }));
      else expire(() => ({ kind: 'stalled', byteCount: total }), options.silenceTimeoutMs);
    };
    const onEnd = (): void => settle(() => resolve({ kind: 'read', bytes: Buffer.concat(chunks) }));
    const onError = (error: Error): void => settle(() => reject(error));
    const onAbort = (): void => settle(() => reject(signal.reason));

    expire(() => ({ kind: 'silent' }), options.firstByteTimeoutMs);
    signal.addEventListener('abort', onAbort);
    stream.on('data', onData).on('end', onEnd).on('error', onError);
  });
}

/** @returns ends the wait: something came */
function afterSilence(limitMs: number, act: () => void): () => void {
  let judging: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // If this process was the one that slept, there may be something to read: read before judging.
    judging = setImmediate(act);
  }, limitMs);
  return () => {
    clearTimeout(timer);
    clearImmediate(judging);
  };
}
