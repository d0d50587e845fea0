import { backoffDelayMs, type Clock, type Entropy } from '@quire/core';
import type { Courier } from './send-outcome.ts';

/** Records that wait; with more the oldest are dropped. */
const MAX_WAITING = 2_048;
const MAX_BATCH = 512;
/** From the first record that waits to its sending. Milliseconds. */
const DELAY_MS = 5_000;
const MAX_ATTEMPTS = 5;
/** A collector that asks for more patience than this is not waited for. */
const MAX_PAUSE_MS = 30_000;
/** At the end somebody waits for the program. */
const ATTEMPTS_AT_END = 2;
const PAUSE_AT_END_MS = 200;
const MAX_PAUSE_AT_END_MS = 1_000;

export interface DispatchOptions<Item> {
  readonly courier: Courier;
  readonly encode: (items: readonly Item[]) => Buffer;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Records will not arrive. Must not throw. */
  readonly onLost: (loss: { readonly count: number; readonly reason: string }) => void;
}

/** Sends records in the background, many at once, in order. Nobody waits for it but `end`. */
export class Dispatch<Item> {
  readonly #options: DispatchOptions<Item>;
  readonly #stop = new AbortController();
  readonly #ending = new AbortController();
  #waiting: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #dropped = 0;

  constructor(options: DispatchOptions<Item>) {
    this.#options = options;
  }

  add(item: Item): void {
    if (this.#stop.signal.aborted) return;
    this.#waiting.push(item);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    if (this.#waiting.length >= MAX_BATCH) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), DELAY_MS).unref();
  }

  /** Sends what waits without further delay, in the background. */
  flush(): void {
    if (this.#waiting.length > 0) this.#start();
  }

  /** Sends what waits, then no more. What is left when the signal fires is lost. Never rejects. */
  async end(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#ending.abort(new Error('the program ends'));
    try {
      await this.#running;
      this.#start();
      await this.#running;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#stop.abort(new Error('the export has ended'));
      clearTimeout(this.#timer);
    }
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      await this.#deliver(batch);
      if (this.#dropped > 0) this.#lose(this.#takeDropped(), `more than ${MAX_WAITING} records were waiting`);
    }
  }

  async #deliver(batch: readonly Item[]): Promise<void> {
    const { courier, encode } = this.#options;
    try {
      const message = encode(batch);
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await courier.send(message, { signal: this.#stop.signal });
        if (outcome.kind === 'taken') {
          if (outcome.rejected > 0) this.#lose(outcome.rejected, 'the collector rejected them');
          return;
        }
        const isLast = outcome.kind === 'refused' || !(await this.#pause(attempt, outcome.afterMs));
        if (isLast) return this.#lose(batch.length, outcome.reason);
      }
    } catch (error) {
      const reason = this.#stop.signal.aborted
        ? 'the collector did not answer before the program ended'
        : messageOf(error);
      this.#lose(batch.length, reason);
    }
  }

  /** `false`: there is no sense in another attempt. Rejects when everything is to stop. */
  async #pause(attempt: number, afterMs: number | undefined): Promise<boolean> {
    const { clock, entropy } = this.#options;
    const ending = this.#ending.signal;
    if (!ending.aborted) {
      if (attempt >= MAX_ATTEMPTS || (afterMs ?? 0) > MAX_PAUSE_MS) return false;
      const delayMs = afterMs ?? backoffDelayMs(attempt, entropy.random()) * 5;
      await sleep(delayMs, AbortSignal.any([ending, this.#stop.signal]));
      if (!ending.aborted) return true;
    }
    const delayMs = afterMs ?? PAUSE_AT_END_MS;
    if (attempt >= ATTEMPTS_AT_END || delayMs > MAX_PAUSE_AT_END_MS) return false;
    await clock.sleep(delayMs, { signal: this.#stop.signal });
    return true;
  }

  #lose(count: number, reason: string): void {
    this.#options.onLost({ count, reason });
  }

  #takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}

/** Does not keep the process; over early when the signal fires. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
