/** Longest delay taken over from a server: a wait beyond it is for a person to decide. */
const MAX_RETRY_AFTER_MS = 60_000;

/** A `Retry-After` value, seconds or an HTTP date, as a delay in milliseconds; capped at one minute. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim();
  if (text === undefined || text === '') return undefined;
  const delayMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (!Number.isFinite(delayMs)) return undefined;
  return Math.min(Math.max(0, Math.round(delayMs)), MAX_RETRY_AFTER_MS);
}

/**
 * The delay that a rate limit message asks for: `try again in 1.5s`, `120ms`, `2 seconds`.
 * Source: the peer's parser for `rate_limit_exceeded`.
 */
export function parseDelayInMessage(message: string): number | undefined {
  const match = /try again in\s*(\d+(?:\.\d+)?)\s*(ms|seconds?|s)\b/i.exec(message);
  if (match === null) return undefined;
  const amount = Number(match[1]);
  return match[2]?.toLowerCase() === 'ms' ? Math.trunc(amount) : Math.round(amount * 1000);
}
