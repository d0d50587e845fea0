import { ModelError } from '@quire/protocol';

/**
 * Delay before retry number `attempt` (1-based): 200 ms doubling, ±10 %.
 * Source: the peer's documented formula, `200ms * 2^(n-1) * U[0.9, 1.1)`, for both retry layers.
 *
 * @param random a number in [0, 1)
 */
export function backoffDelayMs(attempt: number, random: number): number {
  const base = 200 * 2 ** (attempt - 1);
  return Math.round(base * (0.9 + random * 0.2));
}

/** A longer wait than this is not made, even if the server asks for it. Milliseconds. */
const LONGEST_RETRY_DELAY_MS = 300_000;

/** Whether a stream that failed so may be begun anew. */
export function isWorthRetrying(failure: unknown): failure is ModelError {
  return failure instanceof ModelError && failure.retryable && (failure.retryAfterMs ?? 0) <= LONGEST_RETRY_DELAY_MS;
}
