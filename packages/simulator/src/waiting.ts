import { SimulatorError } from './simulator-error.ts';

export interface WaitOptions {
  /** Rejects with its reason when it fires. */
  readonly signal?: AbortSignal;
  /** Unit: milliseconds. Error: SimulatorError 'wait-timeout'. 10,000 when absent. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** Promises for things that a later request brings. */
export class Waiting {
  readonly #checks: Set<() => void> = new Set();
  readonly #closing = new AbortController();

  /** Something happened: look again. */
  notify(): void {
    for (const check of [...this.#checks]) check();
  }

  /** Rejects whatever still waits, and everything later that is not already there. */
  close(): void {
    this.#closing.abort(new SimulatorError('closed', 'the simulator was closed before this happened'));
  }

  /** Resolves with the first value of `find` that is not `undefined`. */
  until<Value>(find: () => Value | undefined, options: WaitOptions & { readonly what: string }): Promise<Value> {
    const { what, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])];
    return new Promise((resolve, reject) => {
      const release = (): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
        for (const signal of signals) signal.removeEventListener('abort', onAbort);
      };
      const check = (): void => {
        try {
          const value = find();
          if (value === undefined) return;
          release();
          resolve(value);
        } catch (error) {
          // The caller's predicate threw: its promise carries that, not the request being answered.
          release();
          reject(error);
        }
      };
      const onAbort = (): void => {
        release();
        reject(signals.find((signal) => signal.aborted)?.reason);
      };
      const timer = setTimeout(() => {
        release();
        reject(new SimulatorError('wait-timeout', `waited ${timeoutMs} ms for ${what}`));
      }, timeoutMs);
      this.#checks.add(check);
      for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
      if (signals.some((signal) => signal.aborted)) onAbort();
      else check();
    });
  }
}
