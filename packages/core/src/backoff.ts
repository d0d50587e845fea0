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
