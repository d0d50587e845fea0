import type { ThreadFacts } from '@quire/agent';
import type { ThreadEvent, TurnItem, TurnOutcome } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { HumanOutput, type HumanOutputOptions } from '../../src/exec/human-output.ts';
import { createStyle } from '../../src/exec/style.ts';
import { MemorySink } from '../support/memory-streams.ts';
import { FACTS, OTHER_ID, REVIEW, TURN_ID, USAGE } from '../support/scripted-agent.ts';

const start = (item: TurnItem): ThreadEvent => ({ kind: 'item-start', turnId: TURN_ID, item });
const end = (item: TurnItem): ThreadEvent => ({ kind: 'item-end', turnId: TURN_ID, item });
const message = (text: string): TurnItem => ({ kind: 'agent-message', id: text, text });
const usage: ThreadEvent = { kind: 'token-usage', turnId: TURN_ID, usage: USAGE };

const command = (id: string, more: Partial<Extract<TurnItem, { kind: 'command-execution' }>> = {}): TurnItem => ({
  kind: 'command-execution',
  id,
  command: `/bin/bash -lc 'echo ${id}'`,
  cwd: FACTS.workingDirectory,
  output: '',
  exitCode: undefined,
  durationMs: undefined,
  status: 'in-progress',
  ...more,
});

/** What follows the header and the prompt. */
function show(
  events: readonly ThreadEvent[],
  options: Partial<HumanOutputOptions> & { readonly outcome?: TurnOutcome } = {},
): { readonly stdout: string; readonly stderr: string } {
  const stdout = new MemorySink();
  const stderr = new MemorySink();
  const output = new HumanOutput({
    stdout,
    stderr,
    style: createStyle({ color: false }),
    version: '0.1.0',
    sharedSink: false,
    stdoutIsTerminal: false,
    ...options,
  });
  output.opened(FACTS, { text: 'go', attachedCharacters: 0, imageCount: 0 });
  stderr.text = '';
  for (const event of events) output.event(event);
  output.ended(options.outcome ?? { kind: 'completed', lastAgentMessage: undefined });
  return { stdout: stdout.text, stderr: stderr.text };
}

test('a turn is a transcript on stderr and its final message alone on stdout [EXEC-50] [EXEC-51]', () => {
  const stdout = new MemorySink();
  const stderr = new MemorySink();
  const output = new HumanOutput({
    stdout,
    stderr,
    style: createStyle({ color: false }),
    version: '0.1.0',
    sharedSink: false,
    stdoutIsTerminal: false,
  });
  output.opened(
    { ...FACTS, warnings: ['be careful'] },
    { text: 'fix it\nplease', attachedCharacters: 1_234, imageCount: 2 },
  );
  const events: readonly ThreadEvent[] = [
    { kind: 'turn-start', turnId: TURN_ID },
    end({ kind: 'reasoning', id: 'r', summary: ['**Look**\n\nfirst'], raw: [] }),
    end(message('I will run the tests.')),
    start(command('npm test')),
    end(command('npm test', { output: 'one\ntwo\n', exitCode: 1, durationMs: 1_240, status: 'failed' })),
    end({
      kind: 'file-change',
      id: 'f',
      status: 'completed',
      changes: [
        {
          path: '/srv/project/src/a.ts',
          kind: 'update',
          addedLines: 1,
          removedLines: 1,
          diff: '@@ -1,2 +1,2 @@\n same\n-old\n+new\n',
        },
        { path: '/elsewhere/b.ts', kind: 'add', addedLines: 0, removedLines: 0, diff: '' },
        {
          path: '/srv/project/new.ts',
          movedFrom: '/srv/project/old.ts',
          kind: 'update',
          addedLines: 0,
          removedLines: 0,
          diff: '',
        },
      ],
    }),
    end({
      kind: 'plan',
      id: 'p',
      steps: [
        { step: 'look', status: 'completed' },
        { step: 'fix', status: 'in_progress' },
        { step: 'test', status: 'pending' },
      ],
    }),
    end({ kind: 'web-search', id: 'ws', query: 'rust async', action: { type: 'search' } }),
    end({ kind: 'tool-error', id: 't', tool: 'nope', message: 'unknown tool' }),
    {
      kind: 'stream-retry',
      turnId: TURN_ID,
      attempt: 1,
      maxAttempts: 5,
      delayMs: 200,
      cause: { code: 'overloaded', message: 'too busy', retryable: true },
    },
    end(message('Done.\n\nAll good.')),
    usage,
  ];
  for (const event of events) output.event(event);
  output.ended({ kind: 'completed', lastAgentMessage: 'Done.\n\nAll good.' });

  expect(stdout.text).toBe('Done.\n\nAll good.\n');
  expect(stderr.text).toBe(`quire 0.1.0
  workdir  /srv/project
  model    model-a (mock)
  approval never
  sandbox  read-only
  effort   medium, summaries auto
  thread   01a1fb78-4bdd-7351-aa59-3fb83be1e59d

› fix it
  please
  + 1,234 characters from stdin, 2 images

! be careful

∴ **Look**

  first

• I will run the tests.

$ echo npm test
  ✗ exit 1 in 1.2 s
  │ one
  │ two

± patch applied
  M src/a.ts +1 -1
    @@ -1,2 +1,2 @@
     same
    -old
    +new
  A /elsewhere/b.ts +0 -0
  R old.ts → new.ts +0 -0

☰ plan
  ✓ look
  ▸ fix
  · test

⌕ rust async

✗ nope: unknown tool

↻ the provider is busy; trying again (1 of 5) in 200 ms: too busy

• Done.

  All good.

tokens used: 3,200
`);
});

test('commands side by side name themselves again when they end [EXEC-50]', () => {
  const done = { output: '', exitCode: 0, durationMs: 5, status: 'completed' } as const;
  expect(
    show([
      start(command('a')),
      start(command('b', { cwd: '/tmp' })),
      end(command('a', done)),
      end(command('b', { ...done, cwd: '/tmp' })),
    ]).stderr,
  ).toBe(`
$ echo a
$ echo b
  in /tmp

$ echo a
  ✓ done in 5 ms

$ echo b
  in /tmp
  ✓ done in 5 ms
`);
});

test('declined commands and failed patches say so [EXEC-50]', () => {
  expect(
    show([
      end(command('a', { status: 'declined' })),
      end({
        kind: 'file-change',
        id: 'f',
        status: 'failed',
        message: 'the context was not found',
        changes: [{ path: '/srv/project/a', kind: 'update', addedLines: 1, removedLines: 0, diff: '+x' }],
      }),
    ]).stderr,
  ).toBe(`
$ echo a
  ⊘ declined

✗ patch failed: the context was not found
  M a +1 -0
`);
});

test('long output is cut in the middle [EXEC-52]', () => {
  const output = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
  const shown = show([end(command('a', { output, exitCode: 0, durationMs: 1, status: 'completed' }))]).stderr;
  expect(shown.split('\n').slice(3, -1)).toEqual([
    ...Array.from({ length: 6 }, (_, index) => `  │ line ${index}`),
    '  │ … 80 more lines',
    ...Array.from({ length: 14 }, (_, index) => `  │ line ${86 + index}`),
  ]);
});

test('output can not drive the terminal [EXEC-53]', () => {
  const item = command('a\u001b[2J', {
    output: '\u001b]0;title\u0007red\u001b[0m\u0008',
    exitCode: 0,
    status: 'completed',
  });
  expect(show([end(item)]).stderr).toBe('\n$ echo a\n  ✓ done\n  │ red␈\n');
  expect(
    show([], { stdoutIsTerminal: true, outcome: { kind: 'completed', lastAgentMessage: 'a\u001b[2Jb' } }).stdout,
  ).toBe('ab\n');
});

test('a final message goes to a pipe byte for byte [EXEC-51]', () => {
  expect(show([], { outcome: { kind: 'completed', lastAgentMessage: 'a\u001b[2Jb\n' } }).stdout).toBe('a\u001b[2Jb\n');
});

test('where both streams end at one place the final message is shown once [EXEC-51]', () => {
  const outcome: TurnOutcome = { kind: 'completed', lastAgentMessage: 'Done.' };
  expect(show([end(message('Done.'))], { sharedSink: true, outcome })).toEqual({ stdout: '', stderr: '\n• Done.\n' });
});

describe('the end of a turn', () => {
  test('that failed is one ERROR line and nothing on stdout [EXEC-45]', () => {
    const outcome: TurnOutcome = {
      kind: 'failed',
      failure: { code: 'overloaded', message: 'too busy', retryable: true },
    };
    expect(show([end(message('half')), usage], { outcome })).toEqual({
      stdout: '',
      stderr: '\n• half\n\nERROR: too busy\n\ntokens used: 3,200\n',
    });
  });

  test('that was interrupted says so [EXEC-50]', () => {
    expect(show([], { outcome: { kind: 'interrupted' } })).toEqual({ stdout: '', stderr: '\n■ interrupted\n' });
  });
});

test.each([
  ['connection-failed', 'cannot connect'],
  ['overloaded', 'the provider is busy'],
  ['stream-truncated', 'the stream broke off'],
  ['idle-timeout', 'the stream went silent'],
] as const)('a retry after %s says that %s [EXEC-55]', (code, reason) => {
  const cause = { code, message: 'details', retryable: true };
  const { stderr } = show([{ kind: 'stream-retry', turnId: TURN_ID, attempt: 1, maxAttempts: 5, delayMs: 200, cause }]);
  expect(stderr).toBe(`\n↻ ${reason}; trying again (1 of 5) in 200 ms: details\n`);
});

test('of a progress bar the last state is shown [EXEC-56]', () => {
  const output = '10%\r50%\r100%\r\ndone\r\n 1/2\r 2/2\r';
  const { stderr } = show([
    start(command('a')),
    end(command('a', { output, exitCode: 0, durationMs: 5, status: 'completed' })),
  ]);
  expect(stderr).toBe('\n$ echo a\n  ✓ done in 5 ms\n  │ 100%\n  │ done\n  │  2/2\n');
});

test('a long line is not cut within a character [EXEC-56]', () => {
  const shown = (line: string): string => {
    const { stderr } = show([
      start(command('a')),
      end(command('a', { output: line, exitCode: 0, durationMs: 5, status: 'completed' })),
    ]);
    return stderr.split('│ ')[1]?.trimEnd() ?? '';
  };
  expect(shown(`${'x'.repeat(399)}😀${'y'.repeat(9)}`)).toBe(`${'x'.repeat(399)}…`);
  expect(shown(`${'x'.repeat(398)}😀${'y'.repeat(9)}`)).toBe(`${'x'.repeat(398)}😀…`);
});

describe('a review', () => {
  const events = [
    end({ kind: 'review-start', id: 'r1', target: 'current changes' }),
    end({ kind: 'review-end', id: 'r2', review: REVIEW }),
  ];
  const outcome: TurnOutcome = { kind: 'completed', lastAgentMessage: 'All of it.' };
  const TRANSCRIPT = `
◎ reviewing current changes

◎ review: 2 findings
  It breaks the sum.

  ● [P1] The sum is off by one
    src/sum.ts:10-12
    The loop ends too early.

    See \`sum\`.

  ● [P3] A name
`;

  test('shows the findings with their places, and its text goes to stdout [EXEC-77]', () => {
    expect(show(events, { outcome })).toEqual({ stdout: 'All of it.\n', stderr: TRANSCRIPT });
  });

  test('is not repeated where both streams end at one place [EXEC-77]', () => {
    expect(show(events, { outcome, sharedSink: true })).toEqual({ stdout: '', stderr: TRANSCRIPT });
  });

  test('without findings says so, and what the model wrote can not drive the terminal [EXEC-53, EXEC-77]', () => {
    const review = { ...REVIEW, findings: [], overallExplanation: 'fine \u001b[2Jhere' };
    const shown = show([end({ kind: 'review-end', id: 'r2', review })], { outcome, sharedSink: true });
    expect(shown.stderr).toBe('\n✓ review: no findings\n  fine here\n');
  });

  test('that was stopped shows no findings [EXEC-77]', () => {
    const stopped = end({ kind: 'review-end', id: 'r2', review: undefined });
    expect(show([stopped], { outcome: { kind: 'interrupted' } })).toEqual({ stdout: '', stderr: '\n■ interrupted\n' });
  });
});

test('a compaction and sub-agents are a line each [EXEC-78]', () => {
  const compaction = { kind: 'context-compaction', id: 'k' } as const;
  const subAgent = { kind: 'sub-agent', id: 's', action: 'spawn', prompt: 'read\nthe tests' } as const;
  const { stderr } = show([
    start({ ...compaction, strategy: undefined, tokensBefore: undefined, tokensAfter: undefined }),
    end({ ...compaction, strategy: 'local', tokensBefore: 41_000, tokensAfter: 6_200 }),
    end({ ...compaction, strategy: 'trim', tokensBefore: undefined, tokensAfter: undefined }),
    start({ ...subAgent, threadIds: [], states: {}, status: 'in-progress' }),
    end({ ...subAgent, threadIds: ['t1'], states: { t1: 'running' }, status: 'completed' }),
  ]);
  expect(stderr.split('\n').filter((line) => line !== '')).toEqual([
    '⇊ compacting the history…',
    '⇊ history summarised by the model: about 41,000 → 6,200 tokens',
    '⇊ history oldest parts left out',
    '⑂ spawn: read the tests',
    '⑂ spawn completed: t1 running',
  ]);
});

describe('a command of the person', () => {
  const own = (more: Partial<Extract<TurnItem, { kind: 'command-execution' }>> = {}): TurnItem =>
    command('own', { source: 'user', ...more });
  const said = (delta: string): ThreadEvent => ({
    kind: 'command-output-delta',
    turnId: TURN_ID,
    itemId: 'own',
    delta,
  });
  const ended = own({ output: 'one\ntwo', exitCode: 3, durationMs: 5, status: 'failed' });

  test('has its output on stdout as it comes, and its exit code in the transcript [THR-12]', () => {
    expect(show([start(own()), said('one\n'), said('two'), end(ended)])).toEqual({
      stdout: 'one\ntwo',
      stderr: '\n$ echo own\n  ✗ exit 3 in 5 ms\n',
    });
  });

  test('whose output came at its end only has it on stdout too [THR-12]', () => {
    expect(show([start(own()), end(ended)]).stdout).toBe('one\ntwo');
  });

  test('ends its line where both streams end at one place [THR-12]', () => {
    expect(show([start(own()), said('one'), end(ended)], { sharedSink: true }).stdout).toBe('one\n');
  });

  test('does not drive the terminal [EXEC-53]', () => {
    expect(show([start(own()), said('a\u001b[2Jb\n'), end(ended)], { stdoutIsTerminal: true }).stdout).toBe('ab\n');
  });
});

test('the header says what a thread was forked from, and that it goes on [EXEC-50] [EXEC-72]', () => {
  const shown = (facts: Partial<ThreadFacts>): string | undefined => {
    const stderr = new MemorySink();
    const style = createStyle({ color: false });
    const stdout = new MemorySink();
    const output = new HumanOutput({ stdout, stderr, style, version: '', sharedSink: false, stdoutIsTerminal: false });
    output.opened({ ...FACTS, ...facts }, /* prompt */ undefined);
    return /^ {2}thread .*$/m.exec(stderr.text)?.[0];
  };
  expect(shown({ resumed: true })).toBe(`  thread   ${FACTS.threadId} (resumed)`);
  expect(shown({ forkedFrom: OTHER_ID })).toBe(`  thread   ${FACTS.threadId} (forked from ${OTHER_ID})`);
  expect(shown({ resumed: true, forkedFrom: OTHER_ID })).toBe(
    `  thread   ${FACTS.threadId} (resumed, forked from ${OTHER_ID})`,
  );
});

test.each([
  ['summary', ['∴ in short', '∴ only short']],
  ['raw', ['∴ at length', '∴ only long', '∴ only short']],
  ['none', []],
] as const)('of reasoning people see %s, as the configuration says [EXEC-102]', (shownReasoning, lines) => {
  const stderr = new MemorySink();
  const style = createStyle({ color: false });
  const options = {
    stdout: new MemorySink(),
    stderr,
    style,
    version: '0.1.0',
    sharedSink: false,
    stdoutIsTerminal: false,
  };
  const output = new HumanOutput(options);
  output.opened({ ...FACTS, shownReasoning }, /* prompt */ undefined);
  output.event(end({ kind: 'reasoning', id: 'r1', summary: ['in short'], raw: ['at length'] }));
  output.event(end({ kind: 'reasoning', id: 'r2', summary: [], raw: ['only long'] }));
  output.event(end({ kind: 'reasoning', id: 'r3', summary: ['only short'], raw: [] }));
  expect(stderr.text.split('\n').filter((line) => line.startsWith('∴'))).toEqual(lines);
});
