import { timerDelay } from '../process/abort.ts';

/** A time limit that stands still while a person is asked. */
export class CallTimer {
  readonly #onTimeout: () => void;
  #leftMs: number;
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #pauses = 0;

  constructor(timeoutMs: number, onTimeout: () => void) {
    this.#leftMs = timeoutMs;
    this.#onTimeout = onTimeout;
    this.#run();
  }

  async pauseDuring<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#pauses === 0) {
      clearTimeout(this.#timer);
      this.#leftMs -= performance.now() - this.#startedAtMs;
    }
    this.#pauses += 1;
    try {
      return await work();
    } finally {
      this.#pauses -= 1;
      if (this.#pauses === 0) this.#run();
    }
  }

  clear(): void {
    this.#pauses = Number.POSITIVE_INFINITY; // nothing starts it again
    clearTimeout(this.#timer);
  }

  #run(): void {
    this.#startedAtMs = performance.now();
    this.#timer = setTimeout(this.#onTimeout, timerDelay(Math.max(0, this.#leftMs)));
  }
}
