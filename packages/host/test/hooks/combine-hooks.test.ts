import type { HookedCall, ToolHooks } from '@quire/core';
import type { TurnId } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { combineHooks, guardHooks } from '../../src/index.ts';

const CALL: HookedCall = {
  turnId: 'turn' as TurnId,
  callId: 'call',
  tool: 'read_file',
  kind: 'file',
  input: { path: 'x' },
  cwd: '/',
};
const FINISHED = { ...CALL, output: 'out', succeeded: true };

const answering = ({ reason, feedback }: { reason?: string; feedback?: string }): ToolHooks => ({
  before: () => Promise.resolve(reason === undefined ? { kind: 'go-on' } : { kind: 'deny', reason }),
  after: () => Promise.resolve({ feedback }),
});
const throwing: ToolHooks = {
  before: () => {
    throw new Error('boom');
  },
  after: () => Promise.reject(new Error('boom')),
};
const silent: ToolHooks = { before: () => new Promise(() => undefined), after: () => new Promise(() => undefined) };

async function ask(hooks: ToolHooks, signal = new AbortController().signal) {
  return [await hooks.before(CALL, { signal }), (await hooks.after(FINISHED, { signal })).feedback];
}

describe('hooks as functions [HOOK-20]', () => {
  test.each<[string, readonly ToolHooks[], unknown]>([
    ['none', [], [{ kind: 'go-on' }, undefined]],
    ['two that say nothing', [answering({}), answering({})], [{ kind: 'go-on' }, undefined]],
    [
      'one of three that denies',
      [answering({ feedback: 'a' }), answering({ reason: 'no' }), answering({ feedback: 'b' })],
      [{ kind: 'deny', reason: 'no' }, 'a\nb'],
    ],
    [
      'two that deny',
      [answering({ reason: 'x' }), answering({ reason: 'y' })],
      [{ kind: 'deny', reason: 'x\ny' }, undefined],
    ],
  ])('%s', async (_title, sets, answers) => {
    expect(await ask(combineHooks(sets))).toEqual(answers);
  });

  test('are given the call as it is, and the signal', async () => {
    const seen: unknown[] = [];
    const { signal } = new AbortController();
    const recording: ToolHooks = {
      before: (...given) => {
        seen.push(given);
        return Promise.resolve({ kind: 'go-on' });
      },
      after: (...given) => {
        seen.push(given);
        return Promise.resolve({ feedback: undefined });
      },
    };
    await ask(combineHooks([recording]), signal);
    expect(seen).toEqual([
      [CALL, { signal }],
      [FINISHED, { signal }],
    ]);
  });
});

describe('a function that gives no answer [HOOK-21]', () => {
  test.each<[string, ToolHooks, string]>([
    ['throws', throwing, 'a hook failed: boom'],
    ['never returns', silent, 'a hook gave no answer in 0.02 s'],
  ])('because it %s denies, and is passed over after the call', async (_title, set, reason) => {
    expect(await ask(guardHooks(set, { timeoutMs: 20 }))).toEqual([{ kind: 'deny', reason }, undefined]);
  });

  test.each<[string, ToolHooks, string]>([
    ['throws', throwing, 'a hook failed: boom, so what it checks counts as failed'],
    ['never returns', silent, 'a hook gave no answer in 0.02 s, so what it checks counts as failed'],
  ])('because it %s is treated as was chosen', async (_title, set, feedback) => {
    expect(await ask(guardHooks(set, { timeoutMs: 20, fail: 'open' }))).toEqual([{ kind: 'go-on' }, undefined]);
    expect((await ask(guardHooks(set, { timeoutMs: 20, fail: 'closed' })))[1]).toBe(feedback);
  });

  test('because there is none lets pass', async () => {
    expect(await ask(guardHooks({}))).toEqual([{ kind: 'go-on' }, undefined]);
  });

  test('does not hold up an abort', async () => {
    const abort = new AbortController();
    const asked = guardHooks(silent).before(CALL, { signal: abort.signal });
    abort.abort(new Error('stop'));
    await expect(asked).rejects.toThrow('stop');
  });
});
