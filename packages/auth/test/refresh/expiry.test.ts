import { encodeJwt } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import type { ChatgptLogin } from '../../src/index.ts';
import { isDue, isStillGood } from '../../src/refresh/expiry.ts';
import { DAY_MS } from '../support/home.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const MINUTE = 60_000;

function login(accessToken: string, lastRefreshMs = NOW): ChatgptLogin {
  return { kind: 'chatgpt', idToken: '', accessToken, refreshToken: 'r', accountId: 'a', lastRefreshMs };
}
const seconds = (ms: number): number => Math.floor(ms / 1000);
const ending = (inMs: number): string => encodeJwt({ exp: seconds(NOW + inMs) });

test.each([
  ['ends in 200 s', 200_000, true],
  ['ends in 400 s', 400_000, false],
  ['has ended', -MINUTE, true],
])('an access token that %s: renewed is %s %s [AUTH-50]', (_name, inMs, expected) => {
  expect(isDue(login(ending(inMs)), NOW)).toBe(expected);
});

test.each([
  ['7.9', false],
  ['8.1', true],
])('an access token that tells nothing and is %s days old is renewed: %s [AUTH-51]', (days, expected) => {
  expect(isDue(login('opaque', NOW - Number(days) * DAY_MS), NOW)).toBe(expected);
});

test('a token that tells its end is renewed by that alone, however old it is [AUTH-51]', () => {
  expect(isDue(login(ending(DAY_MS), NOW - 30 * DAY_MS), NOW)).toBe(false);
});

describe('a clock that is wrong', () => {
  const HOUR = 60 * MINUTE;
  /** By the server's clock, which is `aheadMs` behind ours. */
  const fresh = (aheadMs: number): ChatgptLogin => {
    const serverMs = NOW - aheadMs;
    return login(encodeJwt({ iat: seconds(serverMs), exp: seconds(serverMs + HOUR) }));
  };

  test('ahead by hours does not have a token renewed that has just come [AUTH-52]', () => {
    const token = fresh(5 * HOUR);
    expect([isDue(token, NOW), isStillGood(token, NOW)]).toEqual([false, true]);
    expect(isDue(token, NOW + 50 * MINUTE)).toBe(false);
    expect(isDue(token, NOW + 56 * MINUTE)).toBe(true);
  });

  test('behind by hours leaves it to the server to refuse the token [AUTH-52]', () => {
    expect(isDue(fresh(-5 * HOUR), NOW + HOUR)).toBe(false);
  });

  test('that was set back does not have tokens renewed for ever [AUTH-52]', () => {
    expect(isDue(login('opaque', NOW + 400 * DAY_MS), NOW)).toBe(false);
  });
});
