import type { Clock } from '@quire/core';
import type { ChildAgent } from './child-agent.ts';

/** Until one of the agents comes to rest, or the time is up. Rejects with the reason of the signal. */
export async function firstRest(
  agents: readonly Pick<ChildAgent, 'watch'>[],
  options: { readonly timeoutMs: number; readonly clock: Pick<Clock, 'sleep'>; readonly signal: AbortSignal },
): Promise<void> {
  const { timeoutMs, clock, signal } = options;
  const over = new AbortController();
  const timer = clock.sleep(timeoutMs, { signal: AbortSignal.any([signal, over.signal]) });
  let unwatch: readonly (() => void)[] = [];
  const rest = new Promise<void>((resolve) => {
    unwatch = agents.map((agent) => agent.watch(resolve));
  });
  try {
    await Promise.race([timer, rest]);
  } finally {
    for (const stop of unwatch) stop();
    over.abort();
  }
}
