import { linkSignals, type WaitResult, waitFor } from '../process/abort.ts';

/**
 * Waits for work that is told to stop when nobody waits any more: its time is over, or `signal` fired. Rejects with the
 * reason of `signal`.
 */
export async function withinTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<WaitResult<T>> {
  signal.throwIfAborted();
  const over = new AbortController();
  using link = linkSignals([signal, over.signal]);
  try {
    return await waitFor(work(link.signal), { timeoutMs, signal });
  } finally {
    over.abort(new Error('nobody waits any more'));
  }
}
