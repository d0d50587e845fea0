import type { ThreadEvent, TurnItem, TurnOutcome } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { JsonEventMapper } from '../../src/exec/json-events.ts';
import { REVIEW, THREAD_ID, TURN_ID, USAGE } from '../support/scripted-agent.ts';

const start = (item: TurnItem): ThreadEvent => ({ kind: 'item-start', turnId: TURN_ID, item });
const update = (item: TurnItem): ThreadEvent => ({ kind: 'item-update', turnId: TURN_ID, item });
const end = (item: TurnItem): ThreadEvent => ({ kind: 'item-end', turnId: TURN_ID, item });
const COMPLETED: TurnOutcome = { kind: 'completed', lastAgentMessage: undefined };
const NO_TOKENS =
  '"usage":{"input_tokens":0,"cached_input_tokens":0,"cache_write_input_tokens":0,"output_tokens":0,"reasoning_output_tokens":0}';

/** The lines as they are printed: key order counts. */
function linesOf(
  events: readonly ThreadEvent[],
  outcome: TurnOutcome = COMPLETED,
  warnings: readonly string[] = [],
): string[] {
  const mapper = new JsonEventMapper({ withReceipt: false });
  return [
    ...mapper.opened({ threadId: THREAD_ID, warnings }),
    ...events.flatMap((event) => mapper.event(event)),
    ...mapper.ended(outcome),
  ].map((event) => JSON.stringify(event));
}

const THREAD_STARTED = `{"type":"thread.started","thread_id":"${THREAD_ID}"}`;

const command = (
  id: string,
  more: Partial<Extract<TurnItem, { kind: 'command-execution' }>> = {},
): Extract<TurnItem, { kind: 'command-execution' }> => ({
  kind: 'command-execution',
  id,
  command: "/bin/bash -lc 'echo boom; exit 3'",
  cwd: '/srv/project',
  output: '',
  exitCode: undefined,
  durationMs: undefined,
  status: 'in-progress',
  ...more,
});

test('a turn with every common item prints the recorded lines [EXEC-01] [EXEC-02] [EXEC-03]', () => {
  const search = (id: string, query: string, action: Record<string, string>): TurnItem => ({
    kind: 'web-search',
    id,
    query,
    action,
  });
  const lines = linesOf(
    [
      { kind: 'thread-start', threadId: THREAD_ID, resumed: false },
      { kind: 'turn-start', turnId: TURN_ID },
      end({ kind: 'user-message', id: 'u', text: 'go', imageCount: 0 }),
      start({ kind: 'reasoning', id: 'r', summary: [], raw: [] }),
      { kind: 'reasoning-delta', turnId: TURN_ID, itemId: 'r', delta: 'x', summaryIndex: 0 },
      end({
        kind: 'reasoning',
        id: 'r',
        summary: ['**Planning the work**\n\nI look at the request first.', '**Second header**\n\nThen I decide.'],
        raw: ['hidden'],
      }),
      { kind: 'text-delta', turnId: TURN_ID, itemId: 'm', delta: 'I will' },
      end({ kind: 'agent-message', id: 'm', text: 'I will run a command.' }),
      start(command('c', { command: "/bin/bash -lc 'echo probe-one'" })),
      { kind: 'command-output-delta', turnId: TURN_ID, itemId: 'c', delta: 'probe' },
      end(
        command('c', {
          command: "/bin/bash -lc 'echo probe-one'",
          output: 'probe-one\n',
          exitCode: 0,
          durationMs: 12,
          status: 'completed',
        }),
      ),
      start(search('ws_297', '', {})),
      end(search('ws_297', 'rust async', { type: 'search', query: 'rust async' })),
      end({ kind: 'agent-message', id: 'm2', text: 'All done: **bold** answer.' }),
      { kind: 'token-usage', turnId: TURN_ID, usage: USAGE },
    ],
    COMPLETED,
    ['Model metadata not found.'],
  );
  expect(lines).toEqual([
    THREAD_STARTED,
    '{"type":"item.completed","item":{"id":"item_0","type":"error","message":"Model metadata not found."}}',
    '{"type":"turn.started"}',
    '{"type":"item.completed","item":{"id":"item_1","type":"reasoning","text":"**Planning the work**\\n\\nI look at the request first.\\n**Second header**\\n\\nThen I decide."}}',
    '{"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"I will run a command."}}',
    '{"type":"item.started","item":{"id":"item_3","type":"command_execution","command":"/bin/bash -lc \'echo probe-one\'","aggregated_output":"","exit_code":null,"status":"in_progress"}}',
    '{"type":"item.completed","item":{"id":"item_3","type":"command_execution","command":"/bin/bash -lc \'echo probe-one\'","aggregated_output":"probe-one\\n","exit_code":0,"status":"completed"}}',
    '{"type":"item.started","item":{"id":"ws_297","type":"web_search","query":"","action":{"type":"other"}}}',
    '{"type":"item.completed","item":{"id":"ws_297","type":"web_search","query":"rust async","action":{"type":"search","query":"rust async"}}}',
    '{"type":"item.completed","item":{"id":"item_5","type":"agent_message","text":"All done: **bold** answer."}}',
    '{"type":"turn.completed","usage":{"input_tokens":4000,"cached_input_tokens":1600,"cache_write_input_tokens":0,"output_tokens":800,"reasoning_output_tokens":200}}',
  ]);
});

test('a failing and a declined command keep their status [EXEC-01]', () => {
  const lines = linesOf([
    end(command('a', { output: 'boom\n', exitCode: 3, durationMs: 6, status: 'failed' })),
    end(command('b', { status: 'declined' })),
  ]);
  expect(lines).toEqual([
    THREAD_STARTED,
    '{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"/bin/bash -lc \'echo boom; exit 3\'","aggregated_output":"boom\\n","exit_code":3,"status":"failed"}}',
    '{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"/bin/bash -lc \'echo boom; exit 3\'","aggregated_output":"","exit_code":null,"status":"declined"}}',
    `{"type":"turn.completed",${NO_TOKENS}}`,
  ]);
});

test('commands that run side by side keep their own numbers [EXEC-02]', () => {
  const lines = linesOf([start(command('a')), start(command('b')), end(command('b')), end(command('a'))]);
  expect(lines.slice(1, -1).map((line) => /"type":"(item\.\w+)","item":\{"id":"(\w+)"/.exec(line)?.slice(1))).toEqual([
    ['item.started', 'item_0'],
    ['item.started', 'item_1'],
    ['item.completed', 'item_1'],
    ['item.completed', 'item_0'],
  ]);
});

test('a patch prints paths and kinds, and a declined one counts as failed [EXEC-01]', () => {
  const patch = (id: string, status: 'in-progress' | 'completed' | 'declined'): TurnItem => ({
    kind: 'file-change',
    id,
    status,
    changes: [{ path: '/srv/project/new.txt', kind: 'add', addedLines: 1, removedLines: 0, diff: '+x' }],
  });
  const changes = '"changes":[{"path":"/srv/project/new.txt","kind":"add"}]';
  expect(
    linesOf([start(patch('a', 'in-progress')), end(patch('a', 'completed')), end(patch('b', 'declined'))]),
  ).toEqual([
    THREAD_STARTED,
    `{"type":"item.started","item":{"id":"item_0","type":"file_change",${changes},"status":"in_progress"}}`,
    `{"type":"item.completed","item":{"id":"item_0","type":"file_change",${changes},"status":"completed"}}`,
    `{"type":"item.completed","item":{"id":"item_1","type":"file_change",${changes},"status":"failed"}}`,
    `{"type":"turn.completed",${NO_TOKENS}}`,
  ]);
});

test('plans are one list: started, updated when different, completed just before the end of the turn [EXEC-04]', () => {
  const plan = (id: string, second: 'pending' | 'completed'): TurnItem => ({
    kind: 'plan',
    id,
    steps: [
      { step: 'first', status: 'completed' },
      { step: 'second', status: second },
    ],
  });
  const items = (second: 'open' | 'done'): string =>
    `"items":[{"text":"first","completed":true},{"text":"second","completed":${second === 'done'}}]`;
  expect(
    linesOf([
      start(plan('p1', 'pending')),
      end(plan('p1', 'pending')),
      update(plan('p2', 'completed')),
      end({ kind: 'agent-message', id: 'm', text: 'planned' }),
    ]),
  ).toEqual([
    THREAD_STARTED,
    `{"type":"item.started","item":{"id":"item_0","type":"todo_list",${items('open')}}}`,
    `{"type":"item.updated","item":{"id":"item_0","type":"todo_list",${items('done')}}}`,
    '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"planned"}}',
    `{"type":"item.completed","item":{"id":"item_0","type":"todo_list",${items('done')}}}`,
    `{"type":"turn.completed",${NO_TOKENS}}`,
  ]);
});

describe('trouble', () => {
  const cause = { code: 'overloaded', message: 'too busy', retryable: true } as const;

  test('retries and the final failure are error lines, then the turn fails with the same text [EXEC-05]', () => {
    const retry: ThreadEvent = {
      kind: 'stream-retry',
      turnId: TURN_ID,
      attempt: 1,
      maxAttempts: 5,
      delayMs: 200,
      cause,
    };
    expect(
      linesOf([{ kind: 'turn-start', turnId: TURN_ID }, retry, { ...retry, attempt: 2 }], {
        kind: 'failed',
        failure: cause,
      }),
    ).toEqual([
      THREAD_STARTED,
      '{"type":"turn.started"}',
      '{"type":"error","message":"Reconnecting... 1/5 (too busy)"}',
      '{"type":"error","message":"Reconnecting... 2/5 (too busy)"}',
      '{"type":"error","message":"too busy"}',
      '{"type":"turn.failed","error":{"message":"too busy"}}',
    ]);
  });

  test('an interrupted turn settles what is open and says so, without claiming a failure [EXEC-06]', () => {
    expect(linesOf([start(command('a'))], { kind: 'interrupted' }).slice(-2)).toEqual([
      '{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"/bin/bash -lc \'echo boom; exit 3\'","aggregated_output":"","exit_code":null,"status":"failed"}}',
      '{"type":"turn.interrupted"}',
    ]);
  });

  test('warnings and calls that could not be served are error items [EXEC-07]', () => {
    expect(
      linesOf([
        { kind: 'warning', turnId: undefined, message: 'careful' },
        end({ kind: 'tool-error', id: 't', tool: 'nope', message: 'unsupported call: nope' }),
      ]),
    ).toEqual([
      THREAD_STARTED,
      '{"type":"item.completed","item":{"id":"item_0","type":"error","message":"careful"}}',
      '{"type":"item.completed","item":{"id":"item_1","type":"error","message":"unsupported call: nope"}}',
      `{"type":"turn.completed",${NO_TOKENS}}`,
    ]);
  });

  test('reasoning without a summary takes no line and no number [EXEC-02]', () => {
    expect(
      linesOf([
        end({ kind: 'reasoning', id: 'r', summary: [''], raw: ['secret'] }),
        end({ kind: 'agent-message', id: 'm', text: 'hi' }),
      ])[1],
    ).toBe('{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"hi"}}');
  });
});

test('an id that a provider gives to several items stays one shown id for each of them [EXEC-02]', () => {
  const message = (text: string): TurnItem => ({ kind: 'agent-message', id: 'item_0', text });
  const ended = { exitCode: 0, status: 'completed' } as const;
  const lines = linesOf([
    end(message('one')),
    end(message('two')),
    start(command('item_0')),
    end(command('item_0', ended)),
    start(command('item_0')),
    end(command('item_0', ended)),
  ]);
  const shown = lines
    .map((line) => JSON.parse(line))
    .flatMap(({ type, item }) => (item === undefined ? [] : [`${type} ${item.id}`]));
  expect(shown).toEqual([
    'item.completed item_0',
    'item.completed item_1',
    'item.started item_2',
    'item.completed item_2',
    'item.started item_3',
    'item.completed item_3',
  ]);
});

describe('tasks other than a turn', () => {
  const turn: ThreadEvent = { kind: 'turn-start', turnId: TURN_ID };
  const TURN_STARTED = '{"type":"turn.started"}';
  const TURN_COMPLETED = `{"type":"turn.completed",${NO_TOKENS}}`;

  test('a review prints the commands of the reviewer and its text as one message [EXEC-75]', () => {
    const lines = linesOf(
      [
        turn,
        end({ kind: 'review-start', id: 'r1', target: 'current changes' }),
        start(command('c1')),
        end(command('c1', { output: 'boom', exitCode: 0, status: 'completed' })),
        end({ kind: 'review-end', id: 'r2', review: REVIEW }),
      ],
      { kind: 'completed', lastAgentMessage: 'It breaks the sum.' },
    );
    expect(lines.map((line) => line.replace(/"command":.*?"status"/, '"status"'))).toEqual([
      THREAD_STARTED,
      TURN_STARTED,
      '{"type":"item.started","item":{"id":"item_0","type":"command_execution","status":"in_progress"}}',
      '{"type":"item.completed","item":{"id":"item_0","type":"command_execution","status":"completed"}}',
      '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"It breaks the sum."}}',
      TURN_COMPLETED,
    ]);
  });

  test('an interrupted review has no message [EXEC-75]', () => {
    const events = [turn, end({ kind: 'review-end', id: 'r2', review: undefined })];
    expect(linesOf(events, { kind: 'interrupted' })).toEqual([
      THREAD_STARTED,
      TURN_STARTED,
      '{"type":"turn.interrupted"}',
    ]);
  });

  test('a message that was printed is not printed again at the end [EXEC-75]', () => {
    const said = end({ kind: 'agent-message', id: 'm', text: 'Done.' });
    expect(linesOf([turn, said], { kind: 'completed', lastAgentMessage: 'Done.\n' })).toEqual([
      THREAD_STARTED,
      TURN_STARTED,
      '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Done."}}',
      TURN_COMPLETED,
    ]);
  });

  test('compactions, rollbacks and sub-agents print nothing but their warnings [EXEC-76]', () => {
    const compaction = { kind: 'context-compaction', id: 'k' } as const;
    const subAgent = {
      kind: 'sub-agent',
      id: 's',
      action: 'spawn',
      threadIds: [],
      prompt: 'look',
      states: {},
    } as const;
    const lines = linesOf([
      turn,
      start({ ...compaction, strategy: undefined, tokensBefore: undefined, tokensAfter: undefined }),
      end({ ...compaction, strategy: 'local', tokensBefore: 9, tokensAfter: 1 }),
      { kind: 'warning', turnId: TURN_ID, message: 'compacted' },
      start({ ...subAgent, status: 'in-progress' }),
      end({ ...subAgent, status: 'completed' }),
    ]);
    expect(lines).toEqual([
      THREAD_STARTED,
      TURN_STARTED,
      '{"type":"item.completed","item":{"id":"item_0","type":"error","message":"compacted"}}',
      TURN_COMPLETED,
    ]);
  });
});
