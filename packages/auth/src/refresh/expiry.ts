import { tokenTimes } from '../credentials/jwt.ts';
import type { ChatgptLogin } from '../credentials/login.ts';

/** Source: observed, peer 0.169. */
const EXPIRY_MARGIN_MS = 5 * 60_000;
/** For access tokens that tell nothing about themselves. Source: peer behaviour. */
const MAX_AGE_MS = 8 * 24 * 3600_000;

/**
 * When the access token ends, by the clock here; `undefined` when it does not tell.
 *
 * No server hands out a token that is over. If it was over by the clock here when it came, then that clock is ahead
 * of the server's, and the token lives as long as the server said from that moment on. Else a clock that is ahead
 * would have tokens renewed for every request.
 */
export function accessEndsAtMs({ accessToken, lastRefreshMs }: ChatgptLogin): number | undefined {
  const { issuedAtMs, expiresAtMs: end } = tokenTimes(accessToken);
  if (end === undefined || issuedAtMs === undefined) return end;
  const cameTooLate = lastRefreshMs >= end && end > issuedAtMs;
  return cameTooLate ? lastRefreshMs + (end - issuedAtMs) : end;
}

/** Whether the tokens are to be renewed before they are used. */
export function isDue(login: ChatgptLogin, nowMs: number): boolean {
  const end = accessEndsAtMs(login);
  return end === undefined ? nowMs - login.lastRefreshMs > MAX_AGE_MS : end - nowMs <= EXPIRY_MARGIN_MS;
}

/** Whether the server is likely to take the access token still. */
export function isStillGood(login: ChatgptLogin, nowMs: number): boolean {
  const end = accessEndsAtMs(login);
  return end === undefined || end > nowMs;
}
