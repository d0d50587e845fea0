import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EXEC, REVIEW as REVIEW_COMMAND } from '../../src/exec/command.ts';
import { StopSwitch } from '../../src/exec/stop-switch.ts';
import type { StdinSource } from '../../src/process/stdin-source.ts';
import { memoryStdin } from '../support/memory-streams.ts';
import { type Ran, runScripted, type ScriptedRunOptions } from '../support/run-scripted.ts';
import {
  agentError,
  answer,
  OTHER_ID,
  REVIEW,
  type ScriptedAgentOptions,
  THREAD_ID,
  TURN_ID,
} from '../support/scripted-agent.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-exec-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (argv: readonly string[], options: ScriptedRunOptions = {}): Promise<Ran> =>
  runScripted(EXEC, argv, options);

const FAILED = {
  turn: ({ end }: Parameters<NonNullable<ScriptedAgentOptions['turn']>>[0]) =>
    end({ kind: 'failed', failure: { code: 'overloaded', message: 'too\nbusy', retryable: true } }),
} as const;

test('arguments reach the agent, and the thread is closed after the turn [EXEC-40]', async () => {
  const schema = join(folder, 'schema.json');
  await writeFile(schema, '{"type":"object"}');
  const ran = await run(
    [
      '--json',
      '-c',
      'a=1',
      '-m',
      'model-b',
      '-s',
      'danger-full-access',
      '-C',
      '/x',
      '--add-dir',
      folder,
      '--ephemeral',
    ].concat(['--skip-git-repo-check', '--thread-source', 'ci', '--output-schema', schema, '-i', 'a.png', 'go']),
    { environment: { A: 'b' } },
  );
  expect(ran.calls).toEqual([
    {
      call: 'create',
      options: {
        configOverrides: ['a=1'],
        environment: { A: 'b' },
        ignoreUserConfig: false,
        onTelemetryProblem: expect.any(Function),
        onDamagedThreads: expect.any(Function),
        originator: 'quire_exec',
      },
    },
    {
      call: 'start',
      options: {
        workingDirectory: '/x',
        model: 'model-b',
        sandboxMode: 'danger-full-access',
        threadSource: 'ci',
        additionalDirectories: [folder],
        skipGitRepoCheck: true,
        ephemeral: true,
        source: 'exec',
        signal: expect.any(AbortSignal),
      },
    },
    {
      call: 'run',
      input: [
        { kind: 'image', url: 'data:image/png;base64,AA==', path: 'a.png' },
        { kind: 'text', text: 'go' },
      ],
      outputSchema: { type: 'object' },
    },
    { call: 'close' },
  ]);
});

test('resume --last asks for the newest thread with the lone positional as prompt [EXEC-13]', async () => {
  const ran = await run(['--json', 'resume', '--last', 'more']);
  expect(ran.calls.slice(1, 3)).toEqual([
    {
      call: 'resume',
      target: { kind: 'last', anyDirectory: false },
      options: {
        additionalDirectories: [],
        skipGitRepoCheck: false,
        ephemeral: false,
        source: 'exec',
        signal: expect.any(AbortSignal),
      },
    },
    { call: 'run', input: [{ kind: 'text', text: 'more' }], outputSchema: undefined },
  ]);
});

describe('bad input ends with exit code 1, one line and no thread', () => {
  const GIVEN = ['--json', 'go'];
  const inFolder = (name: string): string => join(folder, name);
  const rows: readonly (readonly [string, () => Promise<readonly string[]>, (path: string) => string])[] = [
    [
      'a schema file that is missing [EXEC-41]',
      async () => ['--output-schema', inFolder('none.json'), ...GIVEN],
      () => `the output schema ${inFolder('none.json')} can not be read: no such file or folder`,
    ],
    [
      'a schema that is no JSON [EXEC-41]',
      async () => {
        await writeFile(inFolder('bad.json'), '{');
        return ['--output-schema', inFolder('bad.json'), ...GIVEN];
      },
      () => `the output schema ${inFolder('bad.json')} is not valid JSON`,
    ],
    [
      'a schema that is no object [EXEC-41]',
      async () => {
        await writeFile(inFolder('list.json'), '[]');
        return ['--output-schema', inFolder('list.json'), ...GIVEN];
      },
      () => `the output schema ${inFolder('list.json')} must be a JSON object that holds a JSON Schema`,
    ],
    [
      'an image that can not be read [EXEC-42]',
      async () => ['-i', 'missing.png', ...GIVEN],
      () => 'the image missing.png can not be read',
    ],
    [
      'a message file in a folder that does not exist [EXEC-43]',
      async () => ['-o', inFolder('none/last.txt'), ...GIVEN],
      () => `the last message can not be written to ${inFolder('none/last.txt')}: no such file or folder`,
    ],
    [
      'a message file that is a folder [EXEC-43]',
      async () => ['-o', folder, ...GIVEN],
      () => `the last message can not be written to ${folder}: it is a folder`,
    ],
    [
      'another writable directory that does not exist [EXEC-47]',
      async () => ['--add-dir', folder, '--add-dir', inFolder('none'), ...GIVEN],
      () => `the directory ${inFolder('none')} does not exist; give an existing one with --add-dir`,
    ],
    [
      'another writable directory that is a file [EXEC-47]',
      async () => {
        await writeFile(inFolder('file'), '');
        return ['--add-dir', inFolder('file'), ...GIVEN];
      },
      () => `${inFolder('file')} is a file, not a directory; give a directory with --add-dir`,
    ],
    [
      'an empty prompt argument [EXEC-22]',
      async () => [' '],
      () => 'the prompt is empty; pass it as an argument or on stdin',
    ],
  ];
  for (const [name, argv, message] of rows) {
    test(name, async () => {
      const { calls, ...ran } = await run(await argv());
      expect(ran).toEqual({ exitCode: 1, stdout: '', stderr: `quire: ${message(folder)}\n` });
      expect(calls.filter((call) => call.call !== 'create')).toEqual([]);
    });
  }
});

test('what the agent refuses is one line on stderr and nothing on stdout [EXEC-44]', async () => {
  const openError = agentError('thread-not-found', 'no thread has the id x');
  const { calls: _, ...ran } = await run(['--json', 'resume', 'x', 'go'], { openError });
  expect(ran).toEqual({ exitCode: 1, stdout: '', stderr: 'quire: no thread has the id x\n' });
});

test('a fault of our own is named as such, without a stack [EXEC-44]', async () => {
  const { calls: _, ...ran } = await run(['--json', 'go'], { openError: new TypeError('oops') });
  expect(ran).toEqual({ exitCode: 1, stdout: '', stderr: 'quire: internal error: oops\n' });
});

test('wrong usage is one line with a hint and exit code 2 [EXEC-11]', async () => {
  const { calls, ...ran } = await run(['--jsn', 'go']);
  expect(ran).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'quire: unknown option --jsn; did you mean --json?\nUsage: quire exec [OPTIONS] [PROMPT]; see quire exec --help\n',
  });
  expect(calls).toEqual([]);
});

test('a failed turn exits with 1 and prints its reason once on each stream [EXEC-45]', async () => {
  const { calls: _, ...ran } = await run(['--json', 'go'], FAILED);
  expect(ran).toEqual({
    exitCode: 1,
    stdout: [
      `{"type":"thread.started","thread_id":"${THREAD_ID}"}`,
      '{"type":"turn.started"}',
      '{"type":"error","message":"too\\nbusy"}',
      '{"type":"turn.failed","error":{"message":"too\\nbusy"}}',
      '',
    ].join('\n'),
    stderr: 'quire: too⏎busy\n',
  });
});

for (const [name, turn, message] of [
  ['rejects', () => Promise.reject(new Error('broken')), 'broken'],
  ['ends without a result', () => undefined, 'the turn ended without a result'],
] as const) {
  test(`a turn that ${name} still has one terminal event [EXEC-06]`, async () => {
    const ran = await run(['--json', 'go'], { turn });
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout.trimEnd().split('\n').slice(2)).toEqual([
      `{"type":"error","message":"${message}"}`,
      `{"type":"turn.failed","error":{"message":"${message}"}}`,
    ]);
  });
}

describe('the file of the last message', () => {
  test('holds the message without a line end [EXEC-43]', async () => {
    const path = join(folder, 'last.txt');
    expect((await run(['-o', path, 'go'], { turn: answer('Hello.') })).exitCode).toBe(0);
    expect(await readFile(path, 'utf8')).toBe('Hello.');
  });

  test('is empty after a failed turn [EXEC-43]', async () => {
    const path = join(folder, 'failed.txt');
    await writeFile(path, 'old');
    expect((await run(['-o', path, 'go'], FAILED)).exitCode).toBe(1);
    expect(await readFile(path, 'utf8')).toBe('');
  });

  test('that can not be written after the turn is an error [EXEC-43]', async () => {
    const path = join(folder, 'gone', 'last.txt');
    const gone = join(folder, 'gone');
    await mkdir(gone);
    const ran = await run(['--json', '-o', path, 'go'], {
      turn: async (context) => {
        await rm(gone, { recursive: true });
        answer('Hello.')(context);
      },
    });
    expect({ exitCode: ran.exitCode, stderr: ran.stderr }).toEqual({
      exitCode: 1,
      stderr: `quire: the last message can not be written to ${path}: no such file or folder\n`,
    });
  });
});

test('a terminal as stdin is not read beside a prompt argument [EXEC-23]', async () => {
  const stdin: StdinSource = { kind: () => 'terminal', read: () => Promise.reject(new Error('was read')) };
  expect((await run(['go'], { stdin })).exitCode).toBe(0);
});

test('a terminal is told at once that the prompt is read from it [EXEC-21]', async () => {
  const stdin = memoryStdin({ kind: 'terminal', outcome: { kind: 'read', bytes: Buffer.from('typed') } });
  const ran = await run(['--json'], { stdin });
  expect(ran.stderr).toBe('Reading the prompt from stdin; end it with Ctrl-D\n');
});

describe('fork', () => {
  test('opens the thread as resume does, and goes on in it with the prompt [EXEC-70, EXEC-71]', async () => {
    const ran = await run(['--json', 'fork', '--before', '2', 'abc', 'more']);
    expect(ran.calls.slice(1)).toEqual([
      {
        call: 'fork',
        target: { kind: 'id', id: 'abc' },
        options: {
          additionalDirectories: [],
          skipGitRepoCheck: false,
          ephemeral: false,
          source: 'exec',
          signal: expect.any(AbortSignal),
          beforeUserMessage: 2,
          requiresMessage: true,
        },
      },
      { call: 'run', input: [{ kind: 'text', text: 'more' }], outputSchema: undefined },
      { call: 'close' },
    ]);
  });

  test('without a prompt asks nothing of the thread and does not read stdin [EXEC-72]', async () => {
    const stdin: StdinSource = { kind: () => 'stream', read: () => Promise.reject(new Error('was read')) };
    const human = await run(['fork', 'abc'], { stdin, facts: { forkedFrom: OTHER_ID } });
    expect({ exitCode: human.exitCode, stdout: human.stdout }).toEqual({ exitCode: 0, stdout: `${THREAD_ID}\n` });
    expect(human.stderr).toContain(`${THREAD_ID} (forked from ${OTHER_ID})`);
    expect(human.calls.map(({ call }) => call)).toEqual(['create', 'fork', 'close']);

    const json = await run(['--json', 'fork', 'abc'], { stdin });
    expect(json.stdout).toBe(`{"type":"thread.started","thread_id":"${THREAD_ID}"}\n`);
  });
});

describe('a thread that is not there', () => {
  const unread: StdinSource = { kind: () => 'stream', read: () => Promise.reject(new Error('was read')) };
  const checkError = agentError('thread-not-found', 'no thread has that name');

  test.each([
    [['resume', 'x'], 'resume'],
    [['resume', 'x', '-'], 'resume'],
    [['fork', 'x', '-'], 'fork'],
  ])('is told by %j before stdin is read [EXEC-92]', async (argv, use) => {
    const ran = await run(argv, { stdin: unread, checkError });
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([1, '', 'quire: no thread has that name\n']);
    expect(ran.calls.slice(1)).toEqual([{ call: 'check', target: { kind: 'id', id: 'x' }, use }]);
  });

  test('is not looked for twice where the prompt is an argument [EXEC-92]', async () => {
    const ran = await run(['resume', 'x', 'go']);
    expect(ran.calls.map(({ call }) => call)).toEqual(['create', 'resume', 'run', 'close']);
  });
});

describe('Ctrl-C while a thread is opened', () => {
  const interrupt = (stop: StopSwitch): void => stop.request({ kind: 'signal', signal: 'SIGINT' });
  const calls = ['create', 'fork'];

  test.each([[['fork', 'x']], [['resume', 'x', 'go']], [['go']]])(
    'lets %j remove what it began [EXEC-79]',
    async (argv) => {
      const stop = new StopSwitch();
      let isRemoved = false;
      const ran = await run(argv, {
        stop,
        opening: async (signal) => {
          interrupt(stop);
          await new Promise((resolve) => setImmediate(resolve));
          isRemoved = true;
          signal?.throwIfAborted();
        },
      });
      expect([ran.exitCode, ran.stdout, isRemoved]).toEqual([130, '', true]);
    },
  );

  test('closes a thread that arrives all the same, and says nothing of it [EXEC-79]', async () => {
    const stop = new StopSwitch();
    const ran = await run(['fork', 'x'], { stop, opening: async () => interrupt(stop) });
    expect([ran.exitCode, ran.stdout, ran.calls.map(({ call }) => call)]).toEqual([130, '', [...calls, 'close']]);
  });

  test('does not wait a second for one that hears nothing, nor at all after another signal [EXEC-79]', async () => {
    const stop = new StopSwitch();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ran = await run(['fork', 'x'], {
      stop,
      opening: () => {
        interrupt(stop);
        setImmediate(() => vi.advanceTimersByTime(999));
        return new Promise(() => undefined);
      },
    }).finally(() => vi.useRealTimers());
    expect([ran.exitCode, ran.stdout, ran.calls.map(({ call }) => call)]).toEqual([130, '', calls]);

    const impatient = new StopSwitch();
    const left = await run(['fork', 'x'], {
      stop: impatient,
      opening: () => {
        interrupt(impatient);
        impatient.request({ kind: 'signal', signal: 'SIGTERM' });
        return new Promise(() => undefined);
      },
    });
    expect(left.exitCode).toBe(143);
  });
});

describe('review', () => {
  /** What the runtime tells of a review: the reviewer's command, then the findings; no message. */
  const reviewed: NonNullable<ScriptedAgentOptions['turn']> = ({ emit, end }) => {
    const turnId = TURN_ID;
    emit({ kind: 'item-end', turnId, item: { kind: 'review-start', id: 'r1', target: 'current changes' } });
    emit({ kind: 'item-end', turnId, item: { kind: 'review-end', id: 'r2', review: REVIEW } });
    end({ kind: 'completed', lastAgentMessage: 'All of it.' });
  };

  test('is a task with its target, and its text is the last message [EXEC-73, EXEC-74]', async () => {
    const path = join(folder, 'review.txt');
    const ran = await run(['review', '--json', '--base', 'main', '-o', path], { turn: reviewed });
    expect(ran.calls.slice(2)).toEqual([
      { call: 'run', input: { task: 'review', target: { kind: 'base', branch: 'main' } }, outputSchema: undefined },
      { call: 'close' },
    ]);
    expect(ran.stdout.split('\n').slice(1, 4)).toEqual([
      '{"type":"turn.started"}',
      '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"All of it."}}',
      expect.stringContaining('"turn.completed"'),
    ]);
    expect(await readFile(path, 'utf8')).toBe('All of it.');
  });

  test('reads stdin only for a dash [EXEC-74]', async () => {
    const unread: StdinSource = { kind: () => 'stream', read: () => Promise.reject(new Error('was read')) };
    expect((await run(['review', 'the parser'], { stdin: unread })).exitCode).toBe(0);
    const stdin = memoryStdin({ kind: 'file', outcome: { kind: 'read', bytes: Buffer.from('the lexer') } });
    const ran = await run(['review', '-'], { stdin });
    expect(ran.calls.find(({ call }) => call === 'run')).toEqual({
      call: 'run',
      input: { task: 'review', target: { kind: 'custom', instructions: 'the lexer' } },
      outputSchema: undefined,
    });
  });

  test('with an empty prompt ends before a thread is opened [EXEC-22]', async () => {
    const { calls, ...ran } = await run(['review', ' ']);
    expect(ran).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'quire: the prompt is empty; pass it as an argument or on stdin\n',
    });
    expect(calls).toEqual([]);
  });

  test('as a command of its own is the same [EXEC-73]', async () => {
    const ran = await runScripted(REVIEW_COMMAND, ['--uncommitted'], { turn: reviewed });
    expect({ exitCode: ran.exitCode, stdout: ran.stdout }).toEqual({ exitCode: 0, stdout: 'All of it.\n' });
    const wrong = await runScripted(REVIEW_COMMAND, []);
    expect([wrong.exitCode, wrong.stderr.split('\n')[1]]).toEqual([
      2,
      'Usage: quire review [OPTIONS] TARGET; see quire review --help',
    ]);
  });
});
