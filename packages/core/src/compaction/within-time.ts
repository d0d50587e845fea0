import { ModelError } from '@quire/protocol';
import type { Clock } from '../ports/clock.ts';

/**
 * Runs something that may hang, for at most `timeMs`. When the time is over or `signal` fires, the signal that
 * `run` got fires as well and nobody waits for it any longer.
 *
 * @throws ModelError 'request-timeout', the reason of `signal`, or what `run` rejects with
 */
export async function withinTime<Value>(
  run: (signal: AbortSignal) => Promise<Value>,
  options: { readonly timeMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Value> {
  const { timeMs, clock, signal } = options;
  signal.throwIfAborted();
  if (timeMs <= 0) throw timeIsOver(timeMs);
  const work = new AbortController();
  const timer = new AbortController();
  let reject: (reason: unknown) => void;
  const stop = (reason: unknown): void => {
    reject(reason);
    work.abort(reason);
  };
  const onAbort = (): void => stop(signal.reason);
  try {
    return await new Promise<Value>((resolve, rejectWait) => {
      reject = rejectWait;
      signal.addEventListener('abort', onAbort, { once: true });
      run(work.signal).then(resolve, reject);
      clock.sleep(timeMs, { signal: timer.signal }).then(
        () => stop(timeIsOver(timeMs)),
        () => {
          // The timer was ended because the work is.
        },
      );
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    timer.abort();
  }
}

function timeIsOver(timeMs: number): ModelError {
  const message = `no answer within its time of ${(timeMs / 1_000).toFixed(1)} seconds`;
  return new ModelError('request-timeout', message, { retryable: false });
}
