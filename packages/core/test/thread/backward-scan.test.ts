import { ThreadReconstruction } from '@quire/core';
import type { ResponseItem, RolloutLine, TurnContextLine } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

function rebuild(lines: readonly RolloutLine[]) {
  const reconstruction = new ThreadReconstruction();
  let read = 0;
  for (const line of [...lines].reverse()) {
    read += 1;
    if (reconstruction.addOlder(line) === 'enough') break;
  }
  return { seed: reconstruction.finish(), unread: lines.length - read };
}

function message(role: 'user' | 'assistant' | 'developer', text: string): ResponseItem {
  return { type: 'message', role, content: [{ type: role === 'assistant' ? 'output_text' : 'input_text', text }] };
}

function item(payload: ResponseItem): RolloutLine {
  return { type: 'response_item', payload };
}

const user = (text: string): RolloutLine => item(message('user', text));
const says = (text: string): RolloutLine => item(message('assistant', text));

function event(type: string, fields: Readonly<Record<string, number | string | boolean>> = {}): RolloutLine {
  return { type: 'event_msg', payload: { type, ...fields } };
}

const started = (id: string): RolloutLine => event('task_started', { turn_id: id });
const complete = (id: string): RolloutLine => event('task_complete', { turn_id: id });
const rollback = (turns: number): RolloutLine => event('thread_rolled_back', { num_turns: turns });

function context(turnId: string | undefined, model = `model-${turnId}`): RolloutLine {
  const payload: TurnContextLine = {
    ...(turnId === undefined ? {} : { turn_id: turnId }),
    cwd: '/repo',
    approval_policy: 'never',
    sandbox_policy: {},
    model,
    summary: 'auto',
  };
  return { type: 'turn_context', payload };
}

function turn(id: string): readonly RolloutLine[] {
  return [started(id), context(id), user(`ask ${id}`), says(`answer ${id}`), complete(id)];
}

function compacted(summary: string, replacement?: readonly ResponseItem[]): RolloutLine {
  return {
    type: 'compacted',
    payload: { message: summary, ...(replacement === undefined ? {} : { replacement_history: replacement }) },
  };
}

/** A compaction that a person asked for. */
function compactTask(id: string, summary: string): readonly RolloutLine[] {
  return [started(id), compacted(summary, [message('user', summary)]), complete(id)];
}

function texts(history: readonly ResponseItem[]): readonly string[] {
  return history.map((entry) => {
    const part = entry.type === 'message' ? entry.content[0] : undefined;
    return part !== undefined && 'text' in part ? part.text : entry.type;
  });
}

/** What a test compares: history, models and how much was not read. */
function outcome(lines: readonly RolloutLine[]) {
  const { seed, unread } = rebuild(lines);
  return {
    history: texts(seed.history),
    baseline: seed.baseline?.model,
    previous: seed.previousModel,
    unread,
  };
}

describe('baseline and previous model', () => {
  test.each<[string, readonly RolloutLine[], ReturnType<typeof outcome>]>([
    [
      'come from the last turn [CORE-230]',
      [...turn('a'), ...turn('b')],
      { history: ['ask a', 'answer a', 'ask b', 'answer b'], baseline: 'model-b', previous: 'model-b', unread: 0 },
    ],
    [
      'are not moved by a task without a user message [CORE-231]',
      [...turn('a'), started('s'), context('s'), complete('s')],
      { history: ['ask a', 'answer a'], baseline: 'model-a', previous: 'model-a', unread: 0 },
    ],
    [
      'of a compaction between turns: the baseline is gone, the model stays [CORE-36] [CORE-232]',
      [...turn('a'), ...turn('b'), ...compactTask('c', 'summary')],
      { history: ['summary'], baseline: undefined, previous: 'model-b', unread: 6 },
    ],
    [
      'after a compaction come from the turn that followed it [CORE-36] [CORE-232]',
      [...turn('a'), ...compactTask('c', 'summary'), ...turn('d')],
      { history: ['summary', 'ask d', 'answer d'], baseline: 'model-d', previous: 'model-d', unread: 6 },
    ],
    [
      'are told again by the turn that compacted itself [CORE-36] [CORE-233]',
      [
        ...turn('a'),
        started('b'),
        context('b'),
        user('ask b'),
        says('half'),
        compacted('s', [message('user', 'ask b'), message('user', 's')]),
        context('b', 'model-b2'),
        says('rest'),
        complete('b'),
      ],
      { history: ['ask b', 's', 'rest'], baseline: 'model-b2', previous: 'model-b2', unread: 7 },
    ],
    [
      'are cleared when a turn compacted itself and told nothing after it [CORE-36] [CORE-233]',
      [...turn('a'), started('b'), context('b'), user('ask b'), compacted('s', [message('user', 's')])],
      // The model is that of the turn itself; its start had to be read for it.
      { history: ['s'], baseline: undefined, previous: 'model-b', unread: 5 },
    ],
    [
      'fall back to the turn before those rolled back [CORE-36] [CORE-234]',
      [...turn('a'), ...turn('b'), ...turn('c'), rollback(/* turns */ 2)],
      { history: ['ask a', 'answer a'], baseline: 'model-a', previous: 'model-a', unread: 0 },
    ],
    [
      'rolled back twice, with a turn between [CORE-36] [CORE-234]',
      [...turn('a'), ...turn('b'), rollback(/* turns */ 1), ...turn('c'), ...turn('d'), rollback(/* turns */ 1)],
      { history: ['ask a', 'answer a', 'ask c', 'answer c'], baseline: 'model-c', previous: 'model-c', unread: 0 },
    ],
    [
      'of more turns rolled back than there are [CORE-234]',
      [item(message('developer', 'rules')), ...turn('a'), rollback(/* turns */ 9)],
      { history: ['rules'], baseline: undefined, previous: undefined, unread: 0 },
    ],
    [
      'a task without a user message does not count as one of the turns rolled back [CORE-235]',
      [...turn('a'), ...turn('b'), started('s'), complete('s'), rollback(/* turns */ 1)],
      { history: ['ask a', 'answer a'], baseline: 'model-a', previous: 'model-a', unread: 0 },
    ],
    [
      'a compaction that was rolled back over never happened [CORE-36] [CORE-235]',
      [...turn('a'), ...turn('b'), ...compactTask('c', 'summary'), ...turn('d'), rollback(/* turns */ 2)],
      { history: ['ask a', 'answer a'], baseline: 'model-a', previous: 'model-a', unread: 0 },
    ],
    [
      'a compaction right before the turn rolled back stays [CORE-36] [CORE-235]',
      [...turn('a'), ...compactTask('c', 'summary'), ...turn('d'), rollback(/* turns */ 1)],
      { history: ['summary'], baseline: undefined, previous: 'model-a', unread: 1 },
    ],
  ])('%s', (_title, lines, expected) => {
    expect(outcome(lines)).toEqual(expected);
  });

  test('a turn whose first or last event is lost is still one turn [CORE-236]', () => {
    const broken = (lost: string) => turn('b').filter((line) => eventType(line) !== lost);
    for (const lost of ['task_started', 'task_complete']) {
      expect(outcome([...turn('a'), ...broken(lost), ...turn('c'), rollback(/* turns */ 1)])).toEqual({
        history: ['ask a', 'answer a', 'ask b', 'answer b'],
        baseline: 'model-b',
        previous: 'model-b',
        unread: 0,
      });
      expect(outcome([...turn('a'), ...broken(lost), ...turn('c'), rollback(/* turns */ 2)]).baseline).toBe('model-a');
    }
  });

  test('a turn that took more messages while it ran counts once [CORE-236]', () => {
    const steered = [started('b'), context('b'), user('ask b'), says('so'), user('and this'), says('yes')];
    const { seed } = rebuild([...turn('a'), ...steered, complete('b'), rollback(/* turns */ 1)]);
    expect(seed.baseline?.model).toBe('model-a');
  });

  test('rolling back context that only a full one tells again clears the baseline [CORE-237]', () => {
    const mixed: ResponseItem = {
      type: 'message',
      role: 'developer',
      content: [
        { type: 'input_text', text: '<permissions instructions>\nx\n</permissions instructions>' },
        { type: 'input_text', text: 'be brief' },
      ],
    };
    const second = [started('b'), item(mixed), context('b'), user('ask b'), says('answer b'), complete('b')];
    expect(outcome([...turn('a'), ...second, rollback(/* turns */ 1)])).toEqual({
      history: ['ask a', 'answer a'],
      baseline: undefined,
      previous: 'model-a',
      unread: 0,
    });
    expect(outcome([...turn('a'), ...second, rollback(/* turns */ 1), ...turn('c')]).baseline).toBe('model-c');
  });
});

function eventType(line: RolloutLine): string {
  return line.type === 'event_msg' ? line.payload.type : line.type;
}

describe('old files', () => {
  const oldTurn = (id: string): readonly RolloutLine[] => [
    context(/* turnId */ undefined, `model-${id}`),
    user(`ask ${id}`),
    event('user_message', { message: `ask ${id}` }),
    says(`answer ${id}`),
  ];

  test('without task events have a turn for each user message [CORE-238]', () => {
    expect(outcome([...oldTurn('a'), ...oldTurn('b'), ...oldTurn('c'), rollback(/* turns */ 2)])).toEqual({
      history: ['ask a', 'answer a'],
      baseline: 'model-a',
      previous: 'model-a',
      unread: 0,
    });
    expect(outcome([...oldTurn('a'), ...oldTurn('b'), rollback(/* turns */ 1), ...oldTurn('c')]).baseline).toBe(
      'model-c',
    );
  });

  test('with a context and no user message tell no baseline [CORE-238]', () => {
    expect(outcome([context(/* turnId */ undefined), says('hello')])).toEqual({
      history: ['hello'],
      baseline: undefined,
      previous: undefined,
      unread: 0,
    });
  });

  test('whose compaction has no replacement go on from what people said and the summary [CORE-239]', () => {
    const { seed } = rebuild([...turn('a'), compacted('first'), ...turn('b'), compacted('second'), ...turn('c')]);
    expect(texts(seed.history)).toEqual(['ask a', 'ask b', 'second', 'ask c', 'answer c']);
    expect(seed).toMatchObject({ baseline: undefined, previousModel: 'model-c', knownSummaries: ['first', 'second'] });
    expect(seed.baseLength).toBe(3);
  });
});

describe('a compaction', () => {
  test('hands on its ledger and its summary, and how many items it made [CORE-240]', () => {
    const line: RolloutLine = {
      type: 'compacted',
      payload: { message: 's', replacement_history: [message('user', 's')], ledger: { goal: 'g' } },
    };
    const { seed } = rebuild([...turn('a'), line, ...turn('b')]);
    expect(seed).toMatchObject({ ledger: { goal: 'g' }, knownSummaries: ['s'], baseLength: 1 });
  });

  test('ends the reading: what is older is neither wanted nor read [CORE-241]', () => {
    const older = Array.from({ length: 1000 }, (_, index) => turn(`old-${index}`)).flat();
    expect(rebuild([...older, ...compactTask('c', 's'), ...turn('new')]).unread).toBe(older.length + 1);

    const reconstruction = new ThreadReconstruction();
    const wanted = () => [
      reconstruction.needs('response_item', 'function_call_output'),
      reconstruction.needs('response_item', 'message'),
      reconstruction.needs('event_msg', 'item_completed'),
      reconstruction.needs('event_msg', 'task_started'),
      reconstruction.needs('compacted', /* payloadType */ undefined),
    ];
    expect(wanted()).toEqual([true, true, false, true, true]);
    reconstruction.addOlder(compacted('s', []));
    expect(wanted()).toEqual([false, true, false, true, true]);
  });
});

test('a file that ends inside a turn says so, also when a compaction is all that is needed of it [CORE-242]', () => {
  expect(rebuild([...turn('a'), started('b'), context('b'), user('x')]).seed.endsInsideTurn).toBe(true);
  expect(rebuild(turn('a')).seed.endsInsideTurn).toBe(false);
  const open = [started('b'), context('b'), user('x'), compacted('s', [message('user', 's')]), context('b'), says('y')];
  expect(rebuild([...turn('a'), ...open]).seed.endsInsideTurn).toBe(true);
});

test('the newest count that says something is the usage [CORE-243]', () => {
  const usage = (tokens: number) => ({
    input_tokens: tokens,
    cached_input_tokens: 0,
    output_tokens: 0,
    reasoning_output_tokens: 0,
    total_tokens: tokens,
  });
  const count = (tokens: number): RolloutLine => ({
    type: 'event_msg',
    payload: { type: 'token_count', info: { total_token_usage: usage(tokens), last_token_usage: usage(tokens) } },
  });
  const empty: RolloutLine = { type: 'event_msg', payload: { type: 'token_count', info: null } };
  expect(rebuild([count(/* tokens */ 1), count(/* tokens */ 2), empty]).seed.usage?.total.totalTokens).toBe(2);
});

type Step =
  | { readonly kind: 'turn' | 'task' | 'compaction' | 'self-compacting-turn' | 'unfinished-turn' }
  | { readonly kind: 'rollback'; readonly turns: number };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'turn' as const }) },
  fc.constant({ kind: 'task' as const }),
  fc.constant({ kind: 'compaction' as const }),
  fc.constant({ kind: 'self-compacting-turn' as const }),
  fc.constant({ kind: 'unfinished-turn' as const }),
  fc.integer({ min: 1, max: 4 }).map((turns) => ({ kind: 'rollback' as const, turns })),
);

/** What a step that was not rolled back leaves in the thread. */
interface Trace {
  readonly isUserTurn: boolean;
  readonly clears: boolean;
  readonly base: readonly string[] | undefined;
  readonly texts: readonly string[];
  readonly model: string | undefined;
}

function play(step: Exclude<Step, { kind: 'rollback' }>, id: string): { lines: readonly RolloutLine[]; trace: Trace } {
  const asked = { isUserTurn: true, clears: false, base: undefined, model: `model-${id}` };
  switch (step.kind) {
    case 'turn':
      return { lines: turn(id), trace: { ...asked, texts: [`ask ${id}`, `answer ${id}`] } };
    case 'unfinished-turn':
      return { lines: turn(id).slice(0, -1), trace: { ...asked, texts: [`ask ${id}`, `answer ${id}`] } };
    case 'self-compacting-turn': {
      const base = [`ask ${id}`, `sum ${id}`];
      const compaction = compacted(
        `sum ${id}`,
        base.map((text) => message('user', text)),
      );
      const lines = [
        ...turn(id).slice(0, -1),
        compaction,
        context(id, `again-${id}`),
        says(`rest ${id}`),
        complete(id),
      ];
      return { lines, trace: { ...asked, model: `again-${id}`, base, texts: [`rest ${id}`] } };
    }
    case 'compaction': {
      const trace = { isUserTurn: false, clears: true, base: [`sum ${id}`], texts: [], model: undefined };
      return { lines: compactTask(id, `sum ${id}`), trace };
    }
    case 'task':
      return {
        lines: [started(id), context(id, 'none'), complete(id)],
        trace: { isUserTurn: false, clears: false, base: undefined, texts: [], model: undefined },
      };
  }
}

/** The plain way: steps in order, rolled back ones taken off the end. */
function expectedOf(traces: readonly Trace[]) {
  const history = traces.reduce<readonly string[]>((all, { base, texts: own }) => [...(base ?? all), ...own], []);
  const last = traces.findLast((trace) => trace.isUserTurn || trace.clears);
  return {
    history,
    baseline: last?.clears === true ? undefined : last?.model,
    previous: traces.findLast((trace) => trace.isUserTurn)?.model,
  };
}

test('over any course of turns, compactions and rollbacks the thread is what was not rolled back [CORE-36]', () => {
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 14 }), (steps) => {
      const lines: RolloutLine[] = [];
      const traces: Trace[] = [];
      steps.forEach((step, index) => {
        if (step.kind === 'rollback') {
          lines.push(rollback(step.turns));
          for (let left = step.turns; left > 0 && traces.length > 0; ) if (traces.pop()?.isUserTurn === true) left -= 1;
          return;
        }
        const played = play(step, `t${index}`);
        lines.push(...played.lines);
        traces.push(played.trace);
      });
      const { unread: _unread, ...found } = outcome(lines);
      expect(found).toEqual(expectedOf(traces));

      // Lines beyond those that were enough change nothing.
      const all = new ThreadReconstruction();
      for (const line of lines.toReversed()) all.addOlder(line);
      const { usage: _usage, ...whole } = all.finish();
      const { usage: _none, ...stopped } = rebuild(lines).seed;
      expect(stopped).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test('a snapshot that was used up by an undo is not in the history any more [CORE-244]', () => {
  const snapshot = (id: string): RolloutLine => item({ type: 'ghost_snapshot', ghost_commit: { id } });
  const lines = [
    ...turn('a'),
    snapshot('one'),
    ...turn('b'),
    snapshot('two'),
    event('undo_completed', { success: false }),
    event('undo_completed', { success: true, snapshot_id: 'two' }),
    ...turn('c'),
    snapshot('three'),
    event('undo_completed', { success: true }),
  ];
  const { seed } = rebuild(lines);
  expect(seed.history.filter(({ type }) => type === 'ghost_snapshot')).toEqual([
    { type: 'ghost_snapshot', ghost_commit: { id: 'one' } },
  ]);
});

test('what was said while a turn ran belongs to it: one turn back takes both away [CORE-245]', () => {
  const steered = [started('b'), context('b'), user('ask b'), says('half'), user('and c'), says('all'), complete('b')];
  expect(texts(rebuild([...turn('a'), ...steered, rollback(/* turns */ 1)]).seed.history)).toEqual([
    'ask a',
    'answer a',
  ]);
});
