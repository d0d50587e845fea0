import type { ModelRequest, Thread } from '@quire/core';
import { ModelError, type ResponseItem, type ThreadEvent } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  calls,
  done,
  MemoryRollout,
  type ModelStep,
  openTestThread,
  ScriptedRunner,
  says,
  settings,
  step,
} from './harness.ts';

const BULK = 'and so on, '.repeat(400);
const never = (): AbortSignal => new AbortController().signal;

/** A thread whose only way to compact needs nobody, at a limit of a few tokens. */
function smallSettings(limit: number) {
  return settings({
    compaction: { ...settings().compaction, strategies: ['trim'], autoCompactTokenLimit: limit },
  });
}

function texts(request: { readonly input: readonly ResponseItem[] } | undefined): readonly string[] {
  return (request?.input ?? []).flatMap((item) =>
    item.type === 'message' ? item.content.map((part) => ('text' in part ? part.text : part.type)) : [item.type],
  );
}

const refused = (index: number): ModelError =>
  new ModelError('invalid-request', `input[${index}] is not valid`, { retryable: false, rejectedInputIndex: index });

/** Refuses the first item that holds POISON, and answers when there is none. */
function refusePoison(request: ModelRequest): ModelStep {
  const index = request.input.findIndex((item) => JSON.stringify(item).includes('POISON'));
  return index === -1 ? step(says(BULK), done()) : { events: [], error: refused(index) };
}

/** The work ledger in the history, without its tags and the introduction. */
function ledgerLines(thread: Thread): readonly string[] {
  const ledger = texts({ input: thread.history }).find((text) => text.includes('<work_ledger>'));
  return ledger?.split('\n').slice(3, -2) ?? [];
}

describe('a compaction that can not be written', () => {
  test('is none: the history stays as it was, in memory too [CORE-262]', async () => {
    const rollout = new MemoryRollout();
    const t = openTestThread({
      steps: [step(says(BULK), done()), step(says('Two.'), done())],
      settings: smallSettings(/* limit */ 100_000),
      rollout,
    });
    await t.run('one');
    const before = t.thread.history;
    const append = rollout.append.bind(rollout);
    rollout.append = (lines) => {
      if (lines.some(({ type }) => type === 'compacted')) throw new Error('no space left');
      append(lines);
    };
    const outcome = await t.thread.compact({ signal: never(), onEvent: () => undefined });
    expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'compaction' } });
    expect(t.thread.history).toEqual(before);
  });
});

describe('compactions without progress', () => {
  test('stop the turn, and the next message of a person lets it go on [CORE-263]', async () => {
    const read = (id: string) => step(calls(id, 'shell_command', { command: 'cat a.txt' }), done());
    const t = openTestThread({
      steps: [...Array.from({ length: 12 }, (_, index) => read(`c${index}`)), step(says('Done.'), done())],
      runner: new ScriptedRunner(() => BULK),
      settings: smallSettings(/* limit */ 600),
    });
    const first = await t.run('read it');
    const requests = t.model.requests.length;
    const second = await t.run('go on');
    expect(first).toMatchObject({ kind: 'failed', failure: { code: 'compaction-loop' } });
    expect(t.model.requests.length).toBeGreaterThan(requests);
    expect(texts(t.model.requests[requests])).toContain('go on');
    expect(second.kind).not.toBe('interrupted');
  });
});

describe('what the model is to be told before a turn', () => {
  test('waits for the next one when that turn ends before it is told [CORE-264]', async () => {
    const t = openTestThread({ steps: [step(says('Hi.'), done())] });
    const notice: ResponseItem = {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: '<subagent_notification>done</subagent_notification>' }],
    };
    t.thread.notify(notice);
    const stopped = new AbortController();
    stopped.abort(new Error('stopped'));
    await t.run('never said', { signal: stopped.signal });
    await t.run('hello');
    expect(texts(t.model.requests[0]).filter((text) => text.startsWith('<subagent'))).toHaveLength(1);
  });
});

describe('items that the API refuses', () => {
  test('of a kind that only another provider can read go all at once with the second [CORE-265]', async () => {
    const sealed = Array.from(
      { length: 30 },
      (_, index): ResponseItem => ({
        type: 'reasoning',
        id: `rs_${index}`,
        summary: [],
        encrypted_content: `sealed ${index}`,
      }),
    );
    const said: ResponseItem = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'before' }] };
    const refuseFirst = (request: ModelRequest) => {
      const index = request.input.findIndex(({ type }) => type === 'reasoning');
      return index === -1 ? step(says('Fine.'), done()) : { events: [], error: refused(index) };
    };
    const t = openTestThread({
      steps: Array.from({ length: 5 }, () => refuseFirst),
      seed: {
        meta: undefined,
        history: [said, ...sealed],
        baseLength: 0,
        baseline: undefined,
        previousModel: undefined,
        usage: undefined,
        ledger: undefined,
        knownSummaries: [],
        endsInsideTurn: false,
      },
    });
    const warnings: string[] = [];
    const note = (event: ThreadEvent): void => {
      if (event.kind === 'warning') warnings.push(event.message);
    };
    const input = [{ kind: 'text', text: 'go' } as const];
    const outcome = await t.thread.runTurn({ input, signal: never(), outputSchema: undefined, onEvent: note });
    expect(outcome).toEqual({ kind: 'completed', lastAgentMessage: 'Fine.' });
    expect(t.model.requests).toHaveLength(3);
    expect(warnings).toHaveLength(2);
    expect(t.thread.history.some(({ type }) => type === 'reasoning')).toBe(false);
  });

  test('do not come back by way of the work ledger: their words and commands are forgotten [CORE-267]', async () => {
    const t = openTestThread({
      steps: [
        step(
          calls('c1', 'shell_command', { command: 'echo POISON' }),
          calls('c2', 'shell_command', { command: 'make' }),
          done(),
        ),
        step(says('Done.'), done()),
        ...Array.from({ length: 3 }, () => refusePoison),
      ],
      settings: smallSettings(/* limit */ 100_000),
    });
    await t.run('POISON');
    await t.run('go on');
    await t.thread.compact({ signal: never(), onEvent: () => undefined });
    expect(ledgerLines(t.thread)).toEqual([
      'The user first asked: go on',
      'Commands, each with its last outcome, oldest first:',
      '- exit 0: make',
    ]);
  });

  test('that are a work ledger come back with its files alone, without its words, plan and commands [CORE-268]', async () => {
    const t = openTestThread({
      steps: [
        step(
          calls('c1', 'shell_command', { command: 'echo POISON' }),
          calls('c2', 'shell_command', { command: 'cat a.txt' }),
          calls('c3', 'update_plan', { plan: [{ step: 'build', status: 'pending' }] }),
          done(),
        ),
        step(says(BULK), done()),
        ...Array.from({ length: 2 }, () => refusePoison),
      ],
      settings: smallSettings(/* limit */ 100_000),
    });
    const compact = () => t.thread.compact({ signal: never(), onEvent: () => undefined });
    await t.run('begin');
    await compact();
    expect(ledgerLines(t.thread)).toContain('- exit 0: echo POISON');
    await t.run('go on');
    await compact();
    expect(ledgerLines(t.thread)).toEqual([
      'The user first asked: go on',
      'Paths are relative to /repo',
      'Files read, oldest first:',
      '- a.txt (read: whole)',
    ]);
  });
});

test('the start of a turn carries its collaboration mode [CORE-266]', async () => {
  const t = openTestThread({
    steps: [step(says('Hi.'), done())],
    settings: settings({ collaborationMode: { mode: 'plan', instructions: 'Plan only.' } }),
  });
  await t.run('hello');
  expect(t.rollout.lines[0]).toMatchObject({ payload: { type: 'task_started', collaboration_mode_kind: 'plan' } });
});

describe('an undo without snapshots', () => {
  const snapshots = { take: async () => ({ ref: undefined, note: undefined }), restore: async () => ({ changed: [] }) };

  test.each([
    [
      'where they are not taken tells why, and how to have them',
      undefined,
      /features\.undo is off.*features\.undo = true/,
    ],
    ['where they are taken has nothing to undo', snapshots, /^there is nothing to undo in this thread$/],
  ])('%s [CORE-299]', async (_, given, message) => {
    const t = openTestThread({ steps: [step(says('Done.'), done())], ...(given && { snapshots: given }) });
    await t.run('go');
    const outcome = await t.thread.undo({ signal: never(), onEvent: () => undefined });
    expect(outcome).toMatchObject({ kind: 'failed', failure: { message: expect.stringMatching(message) } });
  });
});
