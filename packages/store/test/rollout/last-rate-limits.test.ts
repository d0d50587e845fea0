import fs from 'node:fs';
import { formatUuidV7, type JsonObject, type RolloutLine } from '@quire/protocol';
import { expect, test } from 'vitest';
import { createRollout, readLastRateLimits } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { SAMPLE_META, threadId, userMessage } from './sample.ts';

const FIRST_MS = Date.UTC(2026, 1, 20, 10);
const signal = new AbortController().signal;

function heard(limits: JsonObject | null): RolloutLine {
  return { type: 'event_msg', payload: { type: 'token_count', info: null, rate_limits: limits } };
}

async function record(home: string, hour: number, lines: readonly RolloutLine[], provider = 'openai'): Promise<string> {
  const startMs = FIRST_MS + hour * 3_600_000;
  const rollout = await createRollout({
    home,
    threadId: threadId(formatUuidV7(startMs, new Uint8Array(10))),
    meta: { ...SAMPLE_META, model_provider: provider },
    now: () => startMs,
  });
  rollout.append([userMessage, ...lines]);
  rollout.close();
  return rollout.path;
}

test('limits that recorded turns heard of come with their time, those of other providers do not [STORE-102]', async () => {
  using home = temporaryFolder();
  const window = { used_percent: 12.5, window_minutes: 300, resets_at: 1_999_999_999 };
  const credits = { has_credits: true, unlimited: false, balance: '1' };
  await record(home.path, /* hour */ 1, [
    heard({ limit_id: 'codex', limit_name: null, primary: window, secondary: null, credits, plan_type: 'pro' }),
    heard(/* limits */ null),
  ]);
  await record(home.path, /* hour */ 2, [
    heard({ limit_id: 'codex_other', limit_name: 'Other', primary: null, secondary: window }),
  ]);
  await record(home.path, /* hour */ 3, [heard({ limit_id: 'foreign', primary: window })], 'another');
  const torn = await record(home.path, /* hour */ 4, []);
  fs.writeFileSync(torn, 'no rollout');

  const limits = await readLastRateLimits({ home: home.path, providerId: 'openai', signal, timeoutMs: 10_000 });

  const known = { usedPercent: 12.5, windowMinutes: 300, resetsAtSeconds: 1_999_999_999 };
  expect([...limits].sort((left, right) => left.atMs - right.atMs)).toEqual([
    {
      atMs: FIRST_MS + 3_600_000,
      snapshot: {
        limitId: 'codex',
        limitName: undefined,
        primary: known,
        secondary: undefined,
        credits: { hasCredits: true, unlimited: false, balance: '1' },
        planType: 'pro',
      },
    },
    {
      atMs: FIRST_MS + 7_200_000,
      snapshot: {
        limitId: 'codex_other',
        limitName: 'Other',
        primary: undefined,
        secondary: known,
        credits: undefined,
        planType: undefined,
      },
    },
  ]);
});

test('looking for them obeys the signal, and a home without threads has none [STORE-102]', async () => {
  using home = temporaryFolder();
  const options = { home: home.path, providerId: 'openai', timeoutMs: 10_000 };
  expect(await readLastRateLimits({ ...options, signal })).toEqual([]);
  await expect(readLastRateLimits({ ...options, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  );
});
