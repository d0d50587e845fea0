import { expect, test } from 'vitest';
import { createStyle } from '../../src/exec/style.ts';
import type { AccountReading } from '../../src/status/read-account.ts';
import { statusText } from '../../src/status/status-text.ts';

const NOW_MS = 1_795_300_000_000;
const READING: AccountReading = {
  login: {
    kind: 'chatgpt',
    idToken: '',
    accessToken: '',
    refreshToken: '',
    accountId: 'account-1',
    lastRefreshMs: NOW_MS,
  },
  account: undefined,
  snapshot: {
    planType: 'plus',
    credits: undefined,
    ageMs: 0,
    limits: [
      {
        limitId: 'codex',
        limitName: undefined,
        ageMs: 0,
        primary: { usedPercent: 42, windowMinutes: 300, resetsAtSeconds: NOW_MS / 1000 + 8220, hasReset: false },
        secondary: { usedPercent: 7, windowMinutes: 10_080, resetsAtSeconds: NOW_MS / 1000 + 520_000, hasReset: false },
      },
    ],
  },
  source: 'service',
  problem: undefined,
  nowMs: NOW_MS,
} as unknown as AccountReading; // only what the text shows

test.each([60, 74, 80, 200])('at %i columns no line of a limit is broken [STATUS-20]', (width) => {
  const text = statusText(READING, [], { style: createStyle({ color: false }), width });
  const limits = text.split('\n').filter((line) => line.includes('% used'));
  expect(limits.length).toBe(2);
  for (const line of limits) expect(line.length).toBeLessThanOrEqual(width);
  expect(text.includes(', at 20')).toBe(width >= 74);
});
