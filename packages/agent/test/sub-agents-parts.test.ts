import type { SubAgentCaller, ThreadSettings } from '@quire/core';
import type { ResponseItem, TurnId } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { firstRest } from '../src/first-rest.ts';
import { forkedSeed } from '../src/forked-seed.ts';
import { nickname } from '../src/nicknames.ts';

const says = (text: string): ResponseItem => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});
const thinks: ResponseItem = { type: 'reasoning', summary: [], encrypted_content: 'x' };
const calls = (id: string): ResponseItem => ({ type: 'function_call', call_id: id, name: 'n', arguments: '{}' });
const answers = (id: string): ResponseItem => ({ type: 'function_call_output', call_id: id, output: 'ok' });

/** Only what a turn's context is made of. */
const SETTINGS = {
  cwd: '/repo',
  model: { slug: 'model-1' },
  environment: { currentDate: '2026-01-01', timezone: 'UTC' },
  approvalPolicy: 'never',
  reasoningSummary: 'auto',
  sandbox: { mode: 'read-only', writableRoots: [] },
} as unknown as ThreadSettings;

function caller(callId: string): SubAgentCaller {
  return { turnId: 'turn-1' as TurnId, callId, settings: SETTINGS, signal: new AbortController().signal };
}

describe('a copy of the history for an agent', () => {
  test.each<[string, readonly ResponseItem[], readonly ResponseItem[]]>([
    ['ends before the call', [says('a'), calls('spawn')], [says('a')]],
    ['leaves out the reasoning that led to it', [says('a'), thinks, calls('spawn')], [says('a')]],
    [
      'keeps what was answered, with its reasoning',
      [thinks, calls('1'), answers('1'), thinks, calls('spawn')],
      [thinks, calls('1'), answers('1')],
    ],
    [
      'leaves out calls of the same answer that are still served',
      [says('a'), thinks, calls('1'), thinks, calls('spawn'), calls('2')],
      [says('a')],
    ],
  ])('%s [AGENT-27]', (_, history, expected) => {
    expect(forkedSeed(history, caller('spawn')).history).toEqual(expected);
  });

  test('counts as told under the settings of the running turn [AGENT-28]', () => {
    const seed = forkedSeed([], caller('spawn'));

    expect({ previousModel: seed.previousModel, baseline: seed.baseline }).toMatchObject({
      previousModel: 'model-1',
      baseline: { cwd: '/repo', model: 'model-1' },
    });
  });
});

describe('a wait for agents', () => {
  test('ends with the first that rests, and leaves no timer and no watcher [AGENT-36]', async () => {
    const watchers = new Set<() => void>();
    const agent = {
      watch: (callback: () => void) => {
        watchers.add(callback);
        return () => watchers.delete(callback);
      },
    };
    let timer: AbortSignal | undefined;
    const clock = {
      sleep: (_: number, { signal }: { readonly signal: AbortSignal }) => {
        timer = signal;
        return new Promise<void>(() => undefined);
      },
    };
    const waiting = firstRest([agent, agent], { timeoutMs: 10, clock, signal: new AbortController().signal });

    for (const watcher of [...watchers].slice(0, 1)) watcher();
    await waiting;

    expect(watchers.size).toBe(0);
    expect(timer?.aborted).toBe(true);
  });

  test('ends when its time is up [AGENT-37]', async () => {
    const slept: number[] = [];
    const clock = {
      sleep: async (ms: number) => {
        slept.push(ms);
      },
    };

    await firstRest([], { timeoutMs: 30_000, clock, signal: new AbortController().signal });

    expect(slept).toEqual([30_000]);
  });
});

test('every agent of a tree has a name of its own [AGENT-29]', () => {
  const names = Array.from({ length: 40 }, (_, index) => nickname(index));

  expect(new Set(names).size).toBe(40);
  expect([names[0], names[16], names[33]]).toEqual(['Alder', 'Alder 2', 'Birch 3']);
});
