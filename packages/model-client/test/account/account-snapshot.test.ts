import { createDialer } from '@quire/network';
import type { RateLimitSnapshot } from '@quire/protocol';
import { Simulator, status, usageReport } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { accountSnapshot, refreshUsage } from '../../src/account/account-tools.ts';
import { RateLimitStore } from '../../src/index.ts';

const NOW_MS = 1_000_000_000;
const NOW_SECONDS = NOW_MS / 1000;

function told(limitId: string, changes: Partial<RateLimitSnapshot> = {}): RateLimitSnapshot {
  return {
    limitId,
    limitName: undefined,
    primary: undefined,
    secondary: undefined,
    credits: undefined,
    planType: undefined,
    ...changes,
  };
}

const window = (usedPercent: number) => ({ usedPercent, windowMinutes: 300, resetsAtSeconds: NOW_SECONDS + 60 });

/** A store on a clock that the test owns. */
function storeAt(): { store: RateLimitStore; time: { nowMs: number } } {
  const time = { nowMs: NOW_MS };
  return { time, store: new RateLimitStore({ clock: { now: () => time.nowMs } }) };
}

describe('the account', () => {
  test('of which nothing was heard has no numbers, and the plan of its login [MODEL-38] [CHECK-46]', () => {
    const { store } = storeAt();

    expect([
      accountSnapshot(store, { nowMs: NOW_MS }),
      accountSnapshot(store, { nowMs: NOW_MS, planOfLogin: 'plus' }),
    ]).toEqual([
      { planType: undefined, credits: undefined, limits: [], ageMs: undefined },
      { planType: 'plus', credits: undefined, limits: [], ageMs: undefined },
    ]);
  });

  test('shows every limit with name and age, the preferred one first, and the newest plan and credits [MODEL-38] [CHECK-45]', () => {
    const { store, time } = storeAt();
    const credits = { hasCredits: true, unlimited: false, balance: '9.99' };
    store.update(told('a', { limitName: 'A', primary: window(/* usedPercent */ 90), planType: 'plus' }));
    time.nowMs += 1_000;
    store.update(told('codex', { primary: window(/* usedPercent */ 10), credits, planType: 'pro' }));
    time.nowMs += 1_000;
    store.update(told('codex'));

    expect(accountSnapshot(store, { nowMs: time.nowMs, planOfLogin: 'free' })).toEqual({
      planType: 'pro',
      credits,
      ageMs: 1_000,
      limits: [
        {
          limitId: 'codex',
          limitName: undefined,
          primary: { ...window(/* usedPercent */ 10), hasReset: false },
          secondary: undefined,
          isExhausted: false,
          opensAtSeconds: undefined,
          ageMs: 1_000,
        },
        {
          limitId: 'a',
          limitName: 'A',
          primary: { ...window(/* usedPercent */ 90), hasReset: false },
          secondary: undefined,
          isExhausted: false,
          opensAtSeconds: undefined,
          ageMs: 2_000,
        },
      ],
    });
  });

  test('whose window was reset since it was heard of says so [MODEL-38]', () => {
    const { store } = storeAt();
    store.update(
      told('codex', {
        primary: window(/* usedPercent */ 99),
        secondary: { ...window(/* usedPercent */ 50), resetsAtSeconds: undefined },
      }),
    );
    const at = (nowMs: number) => {
      const [limit] = accountSnapshot(store, { nowMs }).limits;
      return [limit?.primary?.hasReset, limit?.secondary?.hasReset];
    };

    expect([at(NOW_MS + 59_999), at(NOW_MS + 60_000)]).toEqual([
      [false, false],
      [true, false],
    ]);
  });

  test('that was refused is exhausted until the limit opens again or something newer is told [MODEL-38]', () => {
    const { store } = storeAt();
    store.noteExhausted({ limitId: 'codex', resetsAtSeconds: NOW_SECONDS + 60 });
    const at = (nowMs: number) =>
      accountSnapshot(store, { nowMs }).limits.map(({ isExhausted, opensAtSeconds }) => [isExhausted, opensAtSeconds]);
    const states = [at(NOW_MS), at(NOW_MS + 60_000)];
    store.update(told('codex', { primary: window(/* usedPercent */ 1) }));

    expect([...states, at(NOW_MS)]).toEqual([[[true, NOW_SECONDS + 60]], [[false, undefined]], [[false, undefined]]]);
  });
});

describe('the usage endpoint', () => {
  const ask = async (sim: Simulator, store: RateLimitStore, nowMs: number): Promise<void> => {
    const dialer = createDialer({ environment: {} });
    try {
      await refreshUsage(store, {
        dialer,
        chatgptBaseUrl: `http://127.0.0.1:${sim.port}`,
        credentials: { kind: 'chatgpt', accessToken: 'secret-token', accountId: undefined },
        userAgent: 'quire_test',
        nowMs,
        signal: new AbortController().signal,
      });
    } finally {
      dialer.close();
    }
  };

  test('tells the limits by id, and what a turn heard since it was asked is newer [MODEL-39] [CHECK-44]', async () => {
    await using sim = await Simulator.start({
      usage: usageReport({
        primary: { usedPercent: 10, windowMinutes: 300, resetAt: 2_000_000_000 },
        credits: { hasCredits: true, unlimited: false, balance: '5' },
        additional: [{ limitId: 'codex_other', limitName: 'Other', secondary: { usedPercent: 7 } }],
      }),
    });
    const { store, time } = storeAt();
    time.nowMs = NOW_MS + 500;
    store.update(told('codex', { primary: window(/* usedPercent */ 42) }));
    await ask(sim, store, NOW_MS);
    const before = [...store.all.values()];
    await ask(sim, store, NOW_MS + 1_000);

    const other = {
      ...told('codex_other', { limitName: 'Other', planType: 'pro' }),
      secondary: { usedPercent: 7, windowMinutes: undefined, resetsAtSeconds: 0 },
    };
    const credits = { hasCredits: true, unlimited: false, balance: '5' };
    expect(before).toEqual([told('codex', { primary: window(/* usedPercent */ 42), credits, planType: 'pro' }), other]);
    expect([store.get('codex')?.primary?.usedPercent, store.heardAtMs('codex')]).toEqual([10, NOW_MS + 1_000]);
  });

  test('that fails leaves what is known [MODEL-39]', async () => {
    await using sim = await Simulator.start();
    const { store } = storeAt();
    store.update(told('codex', { primary: window(/* usedPercent */ 42) }));
    const known = [...store.all.values()];
    const failures: unknown[] = [];
    for (const answer of [
      status(/* code */ 500, { body: 'secret-token' }),
      status(/* code */ 200, { headers: { 'content-type': 'text/html' }, body: '<p>' }),
      status(/* code */ 200, { body: '[1]' }),
    ]) {
      sim.setUsage(answer);
      failures.push(await ask(sim, store, NOW_MS + 1_000).catch((error: unknown) => error));
    }

    expect(failures).toMatchObject([{ httpStatus: 500 }, { code: 'stream-protocol' }, { code: 'stream-protocol' }]);
    expect([failures.map(String).join().includes('secret-token'), [...store.all.values()]]).toEqual([false, known]);
  });
});
