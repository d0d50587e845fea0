import type { ModelRequest, ThreadSeed } from '@quire/core';
import { ModelError, type ResponseItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { done, type ModelStep, openTestThread, says, step } from './harness.ts';

const GATEWAY = "Invalid 'input[2]': this gateway does not like it";

function message(role: 'user' | 'assistant', text: string): ResponseItem {
  const type = role === 'user' ? 'input_text' : 'output_text';
  return { type: 'message', role, content: [{ type, text }] };
}

/** Turns of a question and an answer. */
function seedOf(turns: number): ThreadSeed {
  const history = Array.from({ length: turns }, (_, turn) => [
    message('user', `question ${turn}`),
    message('assistant', `answer ${turn}`),
  ]).flat();
  return {
    meta: undefined,
    history,
    baseLength: 0,
    baseline: undefined,
    previousModel: undefined,
    usage: undefined,
    ledger: undefined,
    knownSummaries: [],
    endsInsideTurn: false,
  };
}

function refused(index: number, text: string): ModelStep {
  return {
    events: [],
    error: new ModelError('invalid-request', text, { retryable: false, rejectedInputIndex: index }),
  };
}

function wordsIn(items: readonly ResponseItem[]): readonly string[] {
  return items.flatMap((item) =>
    item.type === 'message' && item.role !== 'developer'
      ? item.content.flatMap((part) => ('text' in part && !part.text.startsWith('<') ? [part.text] : []))
      : [],
  );
}

const fourTurns = wordsIn(seedOf(/* turns */ 4).history);

describe('refusals that nothing helps against', () => {
  test('end the turn after two more attempts, and cost nothing of the history [CORE-296]', async () => {
    const t = openTestThread({
      steps: Array.from({ length: 30 }, () => refused(/* index */ 2, GATEWAY)),
      seed: seedOf(/* turns */ 4),
    });
    const outcome = await t.run('go on');
    expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'invalid-request', message: GATEWAY } });
    expect(wordsIn(t.thread.history)).toEqual([...fourTurns, 'go on']);
    expect(t.model.requests).toHaveLength(4);
    expect(t.rollout.lines.some(({ type }) => type === 'compacted')).toBe(false);
    expect(t.events.some(({ kind }) => kind === 'warning')).toBe(false);
  });

  test('of another item each time end at the limit, and cost nothing either [CORE-297]', async () => {
    let count = 0;
    const next = (): ModelStep => refused(/* index */ count, `Invalid 'input[${count++}]'`);
    const t = openTestThread({ steps: Array.from({ length: 30 }, () => next), seed: seedOf(/* turns */ 40) });
    await t.run('go on');
    expect(t.model.requests).toHaveLength(21);
    expect(wordsIn(t.thread.history)).toEqual([...wordsIn(seedOf(/* turns */ 40).history), 'go on']);
    expect(t.rollout.lines.some(({ type }) => type === 'compacted')).toBe(false);
  });

  test('are undone when the turn is interrupted before a mended request is answered [CORE-297]', async () => {
    const stop = new AbortController();
    const t = openTestThread({
      steps: [refused(/* index */ 1, "Invalid 'input[1]'"), { events: [], hang: true }],
      seed: seedOf(/* turns */ 4),
    });
    const running = t.run('go on', { signal: stop.signal });
    await t.model.requested(/* count */ 2);
    stop.abort(new Error('stopped'));
    expect((await running).kind).toBe('interrupted');
    expect(wordsIn(t.thread.history).slice(0, fourTurns.length)).toEqual(fourTurns);
    expect(t.rollout.lines.some(({ type }) => type === 'compacted')).toBe(false);
  });

  test('lose nothing that was answered in between [CORE-297]', async () => {
    const lateRefusal = refused(/* index */ 2, 'Not like this either.');
    const t = openTestThread({
      steps: [
        refused(/* index */ 1, "Invalid 'input[1]'"),
        { ...lateRefusal, events: says('Half an answer.') },
        { events: [], error: new ModelError('unauthorized', 'no', { retryable: false }) },
      ],
      seed: seedOf(/* turns */ 4),
    });
    await t.run('go on');
    expect(wordsIn(t.thread.history)).toEqual([...fourTurns, 'go on', 'Half an answer.']);
  });
});

describe('what a person has just said', () => {
  const refuseNewest = (request: ModelRequest): ModelStep => {
    const index = request.input.findIndex((item) => JSON.stringify(item).includes('POISON'));
    return index === -1 ? step(says('Fine.'), done()) : refused(index, `Invalid 'input[${index}]': not taken`);
  };

  test('stays when the API names its place, and the turn fails with the words of the API [CORE-298]', async () => {
    const t = openTestThread({ steps: [refuseNewest, refuseNewest, refuseNewest], seed: seedOf(/* turns */ 4) });
    const outcome = await t.run('do the POISON thing');
    expect(outcome).toMatchObject({ kind: 'failed', failure: { message: expect.stringContaining('not taken') } });
    expect(t.model.requests).toHaveLength(1);
    expect(wordsIn(t.thread.history).at(-1)).toBe('do the POISON thing');
    expect(await t.run('then something else')).toEqual({ kind: 'completed', lastAgentMessage: 'Fine.' });
    expect(JSON.stringify(t.thread.history)).not.toContain('POISON');
  });
});
