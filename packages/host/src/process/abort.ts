import { setMaxListeners } from 'node:events';

/**
 * One signal that fires with the first of several, and lets go of them when disposed: a link to a signal
 * that lives as long as a thread must not be left behind by each command.
 */
export function linkSignals(signals: readonly AbortSignal[]): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const removals: (() => void)[] = [];
  setMaxListeners(0, ...signals); // any number of commands may run at once; eleven are no leak
  for (const signal of signals) {
    const abort = (): void => controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    removals.push(() => signal.removeEventListener('abort', abort));
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const remove of removals) remove();
    },
  };
}

/** The longest delay that timers take: about 25 days. With a longer one they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A time limit as timers take it. One of more than 25 days ends after 25. */
export function timerDelay(timeoutMs: number): number {
  return Math.min(timeoutMs, MAX_TIMER_MS);
}

export type WaitResult<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'timed-out' };

/**
 * Waits for work that by itself does not keep the process alive, up to a limit. The work goes on when the
 * limit is over. Rejects with the reason of `signal`.
 */
export function waitFor<T>(
  work: Promise<T>,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<WaitResult<T>> {
  const { timeoutMs, signal } = limits;
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(signal.reason));
    const timeOut = (): void => settle(() => resolve({ kind: 'timed-out' }));
    // One more turn of the event loop after the time is up, for what a busy process had no time to take notice of.
    const timer = setTimeout(() => setImmediate(timeOut), timerDelay(timeoutMs));
    const settle = (report: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      report();
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    work.then(
      (value) => settle(() => resolve({ kind: 'done', value })),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
