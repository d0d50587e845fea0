import type { MessageItem, ResponseItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import type { CompactionInput } from '../../src/compaction/compaction.ts';
import { recogniseSummaries, SUMMARY_PREFIX } from '../../src/compaction/history-shape.ts';
import { runCompaction } from '../../src/compaction/run-compaction.ts';
import { workLedgerMessage } from '../../src/context/fragments.ts';
import {
  type Answer,
  assistant,
  call,
  compaction,
  compactionInput,
  compactionSettings,
  developer,
  type FakeLine,
  failure,
  fakeLine,
  longWork,
  never,
  output,
  ran,
  shape,
  user,
} from './fakes.ts';

const CONTEXT = [developer('<permissions instructions>new</permissions instructions>')] as readonly MessageItem[];
const CONTEXT_TEXT = '<permissions instructions>new</permissions instructions>';
const LEDGER = { message: workLedgerMessage('the ledger'), state: {} };
const [LEDGER_TEXT = ''] = shape([LEDGER.message]);
const SUMMARY = `${SUMMARY_PREFIX}\nIn short.`;
const OLD_CONTEXT = [
  developer('<permissions instructions>old</permissions instructions>'),
  user('<environment_context>\n  <cwd>/old</cwd>\n</environment_context>'),
];
const SNAPSHOT: ResponseItem = { type: 'ghost_snapshot', ghost_commit: { id: 'abc' } };
const WORK = [...OLD_CONTEXT, user('first'), ...longWork(), user('second'), ...ran('c2', 'make test')];

type Overrides = Parameters<typeof compactionInput>[1];

async function compact(
  history: readonly ResponseItem[],
  answer: Answer | readonly Answer[],
  overrides: Overrides,
): Promise<{ readonly line: FakeLine; readonly message: string | undefined; readonly items: readonly ResponseItem[] }> {
  const answers = (
    Array.isArray(answer) && answer.some((entry) => Array.isArray(entry) || entry instanceof Error) ? answer : [answer]
  ) as readonly Answer[];
  const line = fakeLine({ stream: answers, endpoint: answers });
  const result = await runCompaction(compactionInput(history, overrides), line.ports, line.listener, {
    signal: never(),
  });
  if (result.kind === 'failed')
    throw new AggregateError(
      result.failures.map(({ error }) => error),
      'not compacted',
    );
  return { line, message: result.message, items: result.history };
}

describe('the shapes of a compacted history', () => {
  const midTurn = { form: 'mid-turn', context: CONTEXT, ledger: LEDGER } as const;
  const answers = {
    local: { answer: [assistant('Let me see.'), assistant('In short.')], last: SUMMARY },
    trigger: { answer: [assistant('Here it is.'), compaction('secret')], last: 'compaction' },
    endpoint: { answer: [...OLD_CONTEXT, user('first'), user('second'), compaction('secret')], last: 'compaction' },
  } as const;

  test.each(['local', 'trigger', 'endpoint'] as const)(
    '%s, mid-turn: older messages, context, the last message, ledger, summary [CORE-190]',
    async (strategy) => {
      const { answer, last } = answers[strategy];
      const { items } = await compact(WORK, answer, { ...midTurn, strategies: [strategy] });

      expect(shape(items)).toEqual(['first', CONTEXT_TEXT, 'second', LEDGER_TEXT, last]);
    },
  );

  test.each(['local', 'trigger', 'endpoint'] as const)(
    '%s, standalone: messages, ledger, summary, no context [CORE-191]',
    async (strategy) => {
      const { answer, last } = answers[strategy];
      const { items } = await compact(WORK, answer, { ledger: LEDGER, strategies: [strategy] });

      expect(shape(items)).toEqual(['first', 'second', LEDGER_TEXT, last]);
    },
  );

  test.each([
    ['local', SUMMARY],
    ['trigger', 'compaction'],
  ] as const)('%s without a user message: the context comes before the summary [CORE-192]', async (strategy, last) => {
    const { answer } = answers[strategy];
    const { items } = await compact(longWork(), answer, { ...midTurn, strategies: [strategy] });

    expect(shape(items)).toEqual([CONTEXT_TEXT, LEDGER_TEXT, last]);
  });

  test.each(['local', 'trigger', 'endpoint', 'trim'] as const)(
    '%s: snapshots of the work tree stay, at the end [CORE-197]',
    async (strategy) => {
      const answer = strategy === 'trim' ? [] : answers[strategy].answer;
      const { items } = await compact([SNAPSHOT, ...WORK], answer, { strategies: [strategy] });

      expect(items.at(-1)).toBe(SNAPSHOT);
      expect(items.filter((item) => item.type === 'ghost_snapshot')).toHaveLength(1);
    },
  );
});

describe('the local summary', () => {
  test('the request is the history and one more message, without tools, under the same instructions [CORE-189]', async () => {
    const tools = [{ type: 'function', name: 'shell_command', parameters: {} }] as unknown as CompactionInput['tools'];
    const { line, message } = await compact(WORK, [assistant('In short.')], { tools });

    const [request] = line.requests;
    expect({ instructions: request?.instructions, tools: request?.tools }).toEqual({
      instructions: 'Base.',
      tools: [],
    });
    expect(request?.input.slice(0, -1)).toEqual(WORK);
    expect(request?.input.at(-1)).toMatchObject({ type: 'message', role: 'user' });
    expect(message).toBe(SUMMARY);
  });

  test('a configured prompt replaces the built-in one [CORE-189]', async () => {
    const settings = compactionSettings();
    const { line } = await compact(WORK, [assistant('In short.')], {
      settings: { ...settings, compaction: { ...settings.compaction, prompt: 'Be brief.' } },
    });

    expect(line.requests[0]?.input.at(-1)).toEqual(user('Be brief.'));
  });

  test('an answer without text still ends in a summary message [CORE-198]', async () => {
    const { items } = await compact(WORK, [[call('odd', 'shell_command', {})]], { strategies: ['local'] });

    expect(shape(items).at(-1)).toBe(`${SUMMARY_PREFIX}\n(no summary available)`);
  });

  test('an over-long message is cut with the token marker and older ones vanish [CORE-193]', async () => {
    const long = `${'a'.repeat(60_000)}${'b'.repeat(60_000)}`;
    const { items } = await compact(
      [user('vanished'), user(long), user('newest'), ...longWork()],
      [assistant('In short.')],
      {},
    );

    const half = 2 * (20_000 - 2);
    const removedTokens = (120_000 - 2 * half) / 4;
    expect(shape(items)).toEqual([
      `${'a'.repeat(half)}…${removedTokens} tokens truncated…${'b'.repeat(half)}`,
      'newest',
      SUMMARY,
    ]);
  });

  test('each refusal for length drops one oldest item with its partner, and the count is told [CORE-194]', async () => {
    const tooLong = failure('context-window-exceeded');
    const history = [...ran('c1', 'ls'), user('go on'), ...longWork()];
    const { line, items } = await compact(history, [tooLong, tooLong, [assistant('In short.')]], {});

    expect(line.requests.map((request) => request.input.length)).toEqual([7, 5, 4]);
    expect(line.notices).toEqual([
      'The summary leaves out the 3 oldest items: with them the request did not fit the window.',
    ]);
    expect(shape(items)).toEqual(['go on', SUMMARY]);
  });

  test('what does not fit even without any item is a failure of the strategy [CORE-194]', async () => {
    const tooLong = failure('context-window-exceeded');
    const line = fakeLine({ stream: [tooLong, tooLong, tooLong] });
    const result = await runCompaction(
      compactionInput([user('a'), user('b')], { strategies: ['local'] }),
      line.ports,
      line.listener,
      { signal: never() },
    );

    expect(result).toEqual({
      kind: 'failed',
      failures: [{ strategy: 'local', error: tooLong, freesTooLittle: false }],
      unavailable: [],
    });
    expect(line.requests.map((request) => request.input.length)).toEqual([3, 2, 1]);
  });

  test('earlier summaries are known by their start or by the text of their line, and go [CORE-196]', async () => {
    const history = [
      user('asked'),
      user(`${SUMMARY_PREFIX}\nolder`),
      user('Summary of another program'),
      ...longWork(),
    ];
    const { items } = await compact(history, [assistant('In short.')], {
      knownSummaries: ['', 'Summary of another program'],
    });

    expect(shape(items)).toEqual(['asked', SUMMARY]);
    expect(recogniseSummaries([''])(user(''))).toBe(false);
  });

  test('messages stay as text: images and what the harness wrote are gone [CORE-197]', async () => {
    const withImage: ResponseItem = {
      type: 'message',
      id: 'msg_1',
      role: 'user',
      content: [
        { type: 'input_text', text: 'look at' },
        { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
        { type: 'input_text', text: 'this' },
      ],
    };
    const onlyImage: ResponseItem = { type: 'message', role: 'user', content: withImage.content.slice(1, 2) };
    const { items } = await compact(
      [...OLD_CONTEXT, withImage, LEDGER.message, onlyImage, ...longWork()],
      [assistant('In short.')],
      {},
    );

    expect(items).toEqual([
      user('look at\nthis'),
      user('[a message without text; its content is no longer here]'),
      user(SUMMARY),
    ]);
  });
});

describe('the endpoint', () => {
  test('stale context, calls and reasoning are cleaned out of the answer [CORE-195]', async () => {
    const answer = [
      ...OLD_CONTEXT,
      user('# AGENTS.md instructions for /old\n\n<INSTRUCTIONS>\nold\n</INSTRUCTIONS>'),
      user('first'),
      ...ran('c9', 'ls'),
      { type: 'reasoning', summary: [] } as ResponseItem,
      assistant('What I said.'),
      user('second'),
      compaction('secret'),
    ];
    const { items, message } = await compact(WORK, answer, {
      strategies: ['endpoint'],
      form: 'mid-turn',
      context: CONTEXT,
    });

    expect(shape(items)).toEqual(['first', 'What I said.', CONTEXT_TEXT, 'second', 'compaction']);
    expect(message).toBe('');
  });

  test('a summary may be a message; the context goes before what a person said [CORE-195]', async () => {
    const { items } = await compact(WORK, [user('first'), user('second'), user('Their summary.')], {
      strategies: ['endpoint'],
      form: 'mid-turn',
      context: CONTEXT,
      ledger: LEDGER,
    });

    expect(shape(items)).toEqual(['first', CONTEXT_TEXT, 'second', LEDGER_TEXT, 'Their summary.']);
  });

  test('what a person said last is put back when the answer lacks it [CORE-202]', async () => {
    const { items } = await compact(WORK, [user('first'), compaction('secret')], { strategies: ['endpoint'] });

    expect(shape(items)).toEqual(['first', 'second', 'compaction']);
  });

  test('trailing outputs and messages of the harness give way when the request is over the window [CORE-199]', async () => {
    const settings = compactionSettings();
    const model = { ...settings.model, contextWindow: 4_000 };
    const history = [
      user('first'),
      ...ran('c1', 'ls'),
      call('c2', 'shell_command', { command: 'cat big' }),
      call('c3', 'shell_command', { command: 'cat huge' }),
      output('c2', 'b'.repeat(12_000)),
      output('c3', 'h'.repeat(12_000)),
      user('<environment_context></environment_context>'),
    ];
    const { line } = await compact(history, [user('first'), compaction('secret')], {
      settings: { ...settings, model, compaction: { ...settings.compaction, strategies: ['endpoint'] } },
    });

    const leftOut = '[this output is left out: with it the request would not fit the context window]';
    expect(line.requests[0]?.input).toEqual([...history.slice(0, 6), output('c3', leftOut)]);
  });
});

test('the trigger is the last item of a request with all tools [CORE-200]', async () => {
  const tools = [{ type: 'function', name: 'shell_command', parameters: {} }] as unknown as CompactionInput['tools'];
  const { line, message } = await compact(WORK, [compaction('secret')], { strategies: ['trigger'], tools });

  expect(line.requests[0]?.tools).toBe(tools);
  expect(line.requests[0]?.input).toEqual([...WORK, { type: 'compaction_trigger' }]);
  expect(message).toBe('');
});

describe('trimming', () => {
  test('needs no model, and quotes the earlier summary and the last words [CORE-201]', async () => {
    const history = [user('asked'), user(`${SUMMARY_PREFIX}\nThe older story.`), ...longWork()];
    const { items, line, message } = await compact(history, [], { strategies: ['trim'], ledger: LEDGER });

    expect(line.requests).toEqual([]);
    expect(shape(items)).toEqual(['asked', LEDGER_TEXT, message]);
    expect(message).toContain('The older story.');
    expect(message).toContain('The build works.');
    expect(message?.split(SUMMARY_PREFIX)).toHaveLength(2);
  });

  test("keeps the provider's own compaction in its place [CORE-201]", async () => {
    const earlier = compaction('secret');
    const { items, message } = await compact([user('a'), earlier, user('b'), ...longWork()], [], {
      strategies: ['trim'],
    });

    expect(shape(items)).toEqual(['a', 'compaction', 'b', message]);
    expect(items[1]).toBe(earlier);
  });

  test.each([1_500, 3_000, 10_000, 100_000])('fits a window of %i tokens [CORE-201]', async (targetWindow) => {
    const history = [
      ...Array.from({ length: 40 }, (_, index) => user(`${index} ${'u'.repeat(4_000)}`)),
      assistant('w'.repeat(20_000)),
      compaction('c'.repeat(40_000)),
      user(`last ${'l'.repeat(90_000)}`),
    ];
    const { items } = await compact(history, [], { strategies: ['trim'], targetWindow });

    expect(shape(items).at(-2)).toMatch(/^last l+/);
  });
});
