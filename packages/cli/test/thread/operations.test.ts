import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ThreadSummary } from '@quire/agent';
import type { ThreadId } from '@quire/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StopSwitch } from '../../src/exec/stop-switch.ts';
import { THREAD, threadCommandLine } from '../../src/thread/command-line.ts';
import { type Ran, runScripted, type ScriptedRunOptions } from '../support/run-scripted.ts';
import { agentError, OTHER_ID, THREAD_ID } from '../support/scripted-agent.ts';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-thread-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OLD_MS = Date.UTC(2024, 0, 2, 3, 4, 5);

function summary(more: Partial<ThreadSummary> = {}): ThreadSummary {
  return {
    threadId: THREAD_ID,
    name: undefined,
    preview: 'Fix the\ntests',
    workingDirectory: folder,
    createdAtMs: OLD_MS,
    updatedAtMs: OLD_MS + 1_000,
    forkedFrom: undefined,
    rolloutPath: '/home/sessions/a.jsonl',
    archived: false,
    ...more,
  };
}

const named = (): ThreadSummary => summary({ threadId: OTHER_ID, name: 'mine', updatedAtMs: OLD_MS + 5_000 });
const elsewhere = (): ThreadSummary =>
  summary({ threadId: '02a1fb78-4bdd-7351-aa59-000000000003' as ThreadId, workingDirectory: '/srv/other' });

const run = (argv: readonly string[], options: ScriptedRunOptions = {}): Promise<Ran> =>
  runScripted(THREAD, ['-C', folder, ...argv], { stored: [summary(), named(), elsewhere()], ...options });

/** What was asked of the agent beside making it. */
const callsOf = (ran: Ran): unknown => ran.calls.filter(({ call }) => call !== 'create' && call !== 'list');

describe('list', () => {
  test('shows the threads of the directory with their age and their name or beginning [THR-01]', async () => {
    const { calls, ...ran } = await run(['list']);
    expect(ran).toEqual({
      exitCode: 0,
      stdout: `${THREAD_ID}  2024-01-02  Fix the⏎tests\n${OTHER_ID}  2024-01-02  mine\n`,
      stderr: '',
    });
    expect(calls.at(-1)).toEqual({ call: 'list', options: { archived: false, limit: 51, workingDirectory: folder } });
  });

  test('is no wider than the terminal [THR-35]', async () => {
    const shown = async (columns: number): Promise<string> => (await run(['list'], { columns })).stdout;
    const listed = (title: string): string => `${THREAD_ID}  2024-01-02  ${title}\n${OTHER_ID}  2024-01-02  mine\n`;
    expect(await shown(/* columns */ 63)).toBe(listed('Fix the⏎tests'));
    expect(await shown(/* columns */ 60)).toBe(listed('Fix the⏎t…'));
    expect(await shown(/* columns */ 20)).toBe(listed('Fix the…'));
  });

  test('--all shows every directory, --limit and --archived say which [THR-01]', async () => {
    const ran = await run(['list', '--all', '--limit', '3']);
    expect(ran.stdout.split('\n')[2]).toBe(
      `${elsewhere().threadId}  2024-01-02  ${'/srv/other'.padEnd(folder.length)}  Fix the⏎tests`,
    );
    expect((await run(['list', '--archived'])).calls.at(-1)).toEqual({
      call: 'list',
      options: { archived: true, limit: 51, workingDirectory: folder },
    });
  });

  test('prints one object per line for programs [THR-01]', async () => {
    const ran = await run(['list', '--json']);
    const [first] = ran.stdout.split('\n');
    expect(JSON.parse(first ?? '')).toEqual({
      thread_id: THREAD_ID,
      name: null,
      preview: 'Fix the\ntests',
      cwd: folder,
      created_at: '2024-01-02T03:04:05.000Z',
      updated_at: '2024-01-02T03:04:06.000Z',
      forked_from: null,
      archived: false,
      path: '/home/sessions/a.jsonl',
    });
  });

  test('shows people 50 threads and says when there are more, and programs all [THR-01]', async () => {
    const stored = Array.from({ length: 60 }, () => summary());
    const lines = (text: string): number => text.split('\n').length - 1;
    const human = await run(['list'], { stored });
    expect([lines(human.stdout), human.stderr]).toEqual([
      50,
      'quire: there are more than these 50; --limit shows more\n',
    ]);
    const limited = await run(['list', '--limit', '55'], { stored });
    expect([lines(limited.stdout), limited.stderr]).toEqual([55, '']);
    expect(lines((await run(['list', '--json'], { stored })).stdout)).toBe(60);
  });

  test('of nothing is empty, with a line that says where to look [THR-01]', async () => {
    const { calls: _, ...ran } = await run(['list'], { stored: [] });
    expect(ran).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `quire: there are no threads of ${folder}; --all lists those of every directory\n`,
    });
  });

  test('of a directory that does not exist is one line and exit code 1 [THR-14]', async () => {
    const ran = await runScripted(THREAD, ['list', '-C', join(folder, 'none')]);
    expect([ran.exitCode, ran.stderr]).toEqual([
      1,
      `quire: ${join(folder, 'none')} can not be used: no such file or folder; give an existing directory with -C\n`,
    ]);
  });
});

describe('show', () => {
  const found: readonly (readonly [string, readonly string[], string])[] = [
    ['an id', [THREAD_ID.toUpperCase()], THREAD_ID],
    ['a name', ['mine'], OTHER_ID],
    ['the only beginning', ['02a1'], elsewhere().threadId],
    ['a path', ['/home/sessions/a.jsonl'], THREAD_ID],
    ['--last', ['--last'], OTHER_ID],
  ];
  test.each(found)('finds a thread by %s [THR-03, THR-04, THR-09]', async (_name, argv, id) => {
    expect(JSON.parse((await run(['show', '--json', ...argv])).stdout)['thread_id']).toBe(id);
  });

  test('tells what is known for people [THR-04]', async () => {
    const stored = [summary({ archived: true, forkedFrom: OTHER_ID, name: 'a\u001b[2Jb' })];
    expect((await run(['show', THREAD_ID], { stored })).stdout).toBe(
      [
        `thread   ${THREAD_ID}`,
        'name     ab',
        'begins   Fix the⏎tests',
        `workdir  ${folder}`,
        'created  2024-01-02T03:04:05.000Z',
        'updated  2024-01-02T03:04:06.000Z',
        `fork of  ${OTHER_ID}`,
        'archived yes',
        'file     /home/sessions/a.jsonl',
        '',
      ].join('\n'),
    );
  });

  const missed: readonly (readonly [string, readonly string[], string])[] = [
    ['nothing', ['nope'], 'no such thread'],
    ['several', ['01a1'], 'several threads'],
  ];
  test.each(missed)('of %s is one line and exit code 1 [THR-14]', async (_name, argv, message) => {
    const { calls: _, ...ran } = await run(['show', ...argv]);
    expect(ran).toEqual({ exitCode: 1, stdout: '', stderr: `quire: ${message}\n` });
  });
});

describe('a change', () => {
  const rows: readonly (readonly [readonly string[], unknown, string])[] = [
    [['rename', 'x', 'a name'], [{ call: 'rename', id: 'x', name: 'a name' }], 'x: named a name\n'],
    [['rename', 'x', ''], [{ call: 'rename', id: 'x', name: '' }], 'x: has no name any more\n'],
    [['rename', 'x', '   '], [{ call: 'rename', id: 'x', name: '' }], 'x: has no name any more\n'],
    [['rename', '--last', 'n'], [{ call: 'rename', id: OTHER_ID, name: 'n' }], `${OTHER_ID}: named n\n`],
    [
      ['archive', 'x'],
      [{ call: 'archive', id: 'x' }],
      `${THREAD_ID}: archived; its file is /home/archived_sessions/rollout.jsonl\n`,
    ],
    [
      ['unarchive', 'x'],
      [{ call: 'unarchive', id: 'x' }],
      `${THREAD_ID}: back in the list; its file is /home/sessions/rollout.jsonl\n`,
    ],
  ];
  test.each(rows)('%j is made and told [THR-05, THR-06]', async (argv, calls, stdout) => {
    const ran = await run(argv);
    expect({ exitCode: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr }).toEqual({
      exitCode: 0,
      stdout,
      stderr: '',
    });
    expect(callsOf(ran)).toEqual(calls);
  });

  test('archive and unarchive are commands of their own as well [THR-06]', async () => {
    for (const name of ['archive', 'unarchive'] as const) {
      expect(callsOf(await runScripted(threadCommandLine(name), ['x']))).toEqual([{ call: name, id: 'x' }]);
      const wrong = await runScripted(threadCommandLine(name), []);
      expect([wrong.exitCode, wrong.stderr.split('\n')[1]]).toEqual([
        2,
        `Usage: quire ${name} [OPTIONS] ID; see quire thread --help`,
      ]);
    }
  });

  test.each([
    ['rename', { call: 'rename', name: 'n' }, ['n']],
    ['archive', { call: 'archive' }, []],
    ['unarchive', { call: 'unarchive' }, []],
  ] as const)('a path of a file given to %s begins in the directory of -C [THR-03]', async (name, call, more) => {
    await writeFile(join(folder, 'a.jsonl'), '');
    const named = { ...call, id: join(folder, 'a.jsonl') };
    expect(callsOf(await run([name, './a.jsonl', ...more]))).toEqual([named]);
    expect(callsOf(await run([name, 'none.jsonl', ...more]))).toEqual([{ ...call, id: 'none.jsonl' }]);
    await writeFile(join(folder, THREAD_ID), '');
    expect(callsOf(await run([name, THREAD_ID, ...more]))).toEqual([{ ...call, id: THREAD_ID }]);
  });

  test('show looks for a path from the directory of -C [THR-03]', async () => {
    const directories: unknown[] = [];
    await run(['show', 'a.jsonl'], { onRead: ({ workingDirectory }) => directories.push(workingDirectory) });
    expect(directories).toEqual([folder]);
  });

  test('a rollback opens the thread, says what it did and closes it [THR-07]', async () => {
    const ran = await run(['rollback', 'x', '2'], { facts: { warnings: ['half a line was cut off'] } });
    expect(callsOf(ran)).toEqual([
      {
        call: 'resume',
        target: { kind: 'id', id: 'x' },
        options: { skipGitRepoCheck: true, workingDirectory: folder, signal: expect.any(AbortSignal) },
      },
      { call: 'roll-back', turns: 2 },
      { call: 'close' },
    ]);
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([
      0,
      `${THREAD_ID}: its last 2 turns were taken back; files stay as they are\n`,
      'quire: half a line was cut off\n',
    ]);
  });

  const FAILURE = agentError('busy', 'the thread is open in process 7;\nend it first');
  test.each([[['rename', 'x', 'n']], [['archive', 'x']], [['unarchive', 'x']], [['rollback', 'x', '1']]])(
    '%j that can not be made is one line and exit code 1 [THR-14]',
    async (argv) => {
      const { calls, ...ran } = await run(argv, { change: () => Promise.reject(FAILURE) });
      expect(ran).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: 'quire: the thread is open in process 7;⏎end it first\n',
      });
      expect(calls.filter(({ call }) => call === 'close')).toHaveLength(argv[0] === 'rollback' ? 1 : 0);
    },
  );
});

test('a fork prints the id of the new thread [THR-08]', async () => {
  const ran = await run(['fork', '--before', '1', 'x'], { facts: { forkedFrom: OTHER_ID } });
  expect([ran.exitCode, ran.stdout]).toEqual([0, `${THREAD_ID}\n`]);
  expect(ran.calls.map(({ call }) => call)).toEqual(['create', 'fork', 'close']);
});

test('a task runs as exec does: same events, same exit codes [THR-10]', async () => {
  const ran = await run(['compact', '--json', 'x'], {
    turn: ({ end }) => end({ kind: 'failed', failure: { code: 'compaction', message: 'too long', retryable: false } }),
  });
  expect([ran.exitCode, ran.stderr, ran.stdout.split('\n').at(-2)]).toEqual([
    1,
    'quire: too long\n',
    '{"type":"turn.failed","error":{"message":"too long"}}',
  ]);
  expect(ran.calls.find(({ call }) => call === 'run')).toEqual({
    call: 'run',
    input: { task: 'compact' },
    outputSchema: undefined,
  });
});

test('what an undo did is its message [THR-11]', async () => {
  const ran = await run(['undo', 'x'], {
    turn: ({ end }) => end({ kind: 'completed', lastAgentMessage: 'Put 2 files back.' }),
  });
  expect([ran.exitCode, ran.stdout]).toEqual([0, 'Put 2 files back.\n']);
});

describe('Ctrl-C', () => {
  const interrupt = (stop: StopSwitch): void => stop.request({ kind: 'signal', signal: 'SIGINT' });

  test('ends a change that takes long, with nothing printed [THR-15]', async () => {
    const stop = new StopSwitch();
    const change = (): Promise<void> => {
      interrupt(stop);
      return new Promise(() => undefined);
    };
    const { calls: _, ...ran } = await run(['rename', 'x', 'n'], { stop, change });
    expect(ran).toEqual({ exitCode: 130, stdout: '', stderr: '' });
  });

  test('lets a change that has begun end [THR-15]', async () => {
    const stop = new StopSwitch();
    const change = async (): Promise<void> => interrupt(stop);
    const { calls: _, ...ran } = await run(['rename', 'x', 'n'], { stop, change });
    expect(ran).toEqual({ exitCode: 0, stdout: 'x: named n\n', stderr: '' });
  });

  test('interrupts a task as it does in exec [THR-10]', async () => {
    const stop = new StopSwitch();
    const ran = await run(['undo', '--json', 'x'], {
      stop,
      turn: ({ end }) => {
        interrupt(stop);
        end({ kind: 'interrupted' });
      },
    });
    expect([ran.exitCode, ran.stdout.split('\n').at(-2)]).toEqual([130, '{"type":"turn.interrupted"}']);
  });
});
