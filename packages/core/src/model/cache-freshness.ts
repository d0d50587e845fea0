import type { CachedCatalog } from './catalog-ports.ts';

/** How long a list counts as fresh. Source: facts, catalog cache. */
export const CATALOG_TTL_MS = 300_000;

/** `foreign`: another account's or provider's, another version's, or of a program that does not say whose. */
export type CacheState = 'fresh' | 'stale' | 'foreign';

/** A time in the future counts as fresh; a TTL of 0 makes nothing fresh. Source: facts, catalog cache. */
export function cacheState(
  entry: Pick<CachedCatalog, 'fetchedAtMs' | 'clientVersion' | 'identity'>,
  now: {
    readonly nowMs: number;
    readonly ttlMs: number;
    readonly clientVersion: string;
    readonly identity: string;
  },
): CacheState {
  if (entry.clientVersion !== now.clientVersion || entry.identity !== now.identity) return 'foreign';
  return now.ttlMs > 0 && now.nowMs - entry.fetchedAtMs <= now.ttlMs ? 'fresh' : 'stale';
}
