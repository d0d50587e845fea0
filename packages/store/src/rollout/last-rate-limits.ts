import type { LastRateLimitsOptions, RecordedRateLimit } from './find-rate-limits.ts';

/**
 * The limits that the last recorded turns heard of. Files that can not be read are passed over. Rejects only with the
 * reason of the signal.
 */
export async function readLastRateLimits(options: LastRateLimitsOptions): Promise<readonly RecordedRateLimit[]> {
  return await (await import('./find-rate-limits.ts')).findRateLimits(options);
}
