import type { RateLimitStore } from '../limits/rate-limit-store.ts';
import { fetchUsage, type UsageRequest } from '../limits/usage-endpoint.ts';

/**
 * Asks the usage endpoint and puts what it says into `store`. The answer counts as old as the question: what a turn
 * told in between is newer. Rejects as `fetchUsage` does; the store is then as it was.
 */
export async function refreshUsage(store: RateLimitStore, request: UsageRequest): Promise<void> {
  const snapshots = await fetchUsage(request);
  for (const snapshot of snapshots) store.update(snapshot, { asOfMs: request.nowMs });
}
