import type { Clock } from '@quire/core';

/** Which hosts can not be talked to over WebSocket, for a while. Shared by threads. */
export interface FallbackMemory {
  /** Why WebSocket is not to be tried at `origin`; `undefined` when nothing speaks against it. */
  recall(origin: string): string | undefined;
  remember(origin: string, cause: string, options: { readonly forMs: number }): void;
}

/** Keeps verdicts in memory until they expire. */
export function createFallbackMemory(options: { readonly clock: Pick<Clock, 'now'> }): FallbackMemory {
  const verdicts = new Map<string, { readonly cause: string; readonly expiresAtMs: number }>();
  return {
    recall(origin) {
      const verdict = verdicts.get(origin);
      if (verdict === undefined) return undefined;
      if (verdict.expiresAtMs > options.clock.now()) return verdict.cause;
      verdicts.delete(origin);
      return undefined;
    },
    remember(origin, cause, { forMs }) {
      verdicts.set(origin, { cause, expiresAtMs: options.clock.now() + forMs });
    },
  };
}
