import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScriptedExec, Program } from '../support/program.ts';
import { THREAD_ID } from '../support/scripted-agent.ts';

let built: Awaited<ReturnType<typeof buildScriptedExec>>;
beforeAll(async () => {
  built = await buildScriptedExec();
});
afterAll(() => built[Symbol.asyncDispose]());

const run = (
  script: string,
  argv: readonly string[] = ['--json', 'go'],
  more: { leaveStdout?: boolean } = {},
): Program => new Program(built.path, { argv, stdin: 'ignore', env: { SCRIPT: script }, ...more });

const INTERRUPTED_LINES = [
  `{"type":"thread.started","thread_id":"${THREAD_ID}"}`,
  '{"type":"turn.started"}',
  '{"type":"turn.interrupted"}',
  '',
].join('\n');

/** Longer than a busy machine adds to a second, shorter than a turn or a thread is waited for. */
const SOON_MS = 4_500;

describe('signals', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`${signal} interrupts the turn, prints its end and exits with ${code} [EXEC-30]`, async () => {
      const program = run('wait');
      await program.saw('running');
      program.child.kill(signal);
      expect(await program.ended).toEqual({ code, signal: null, stdout: INTERRUPTED_LINES, stderr: '' });
      await program.saw('closed');
    });
  }

  test('a second Ctrl-C leaves at once, still with one terminal event [EXEC-31]', async () => {
    const program = run('deaf');
    await program.saw('running');
    program.child.kill('SIGINT');
    await program.saw('interrupted');
    const again = setInterval(() => program.child.kill('SIGINT'), 60); // the first may count as the same press
    const startedAtMs = performance.now();
    const ended = await program.ended;
    clearInterval(again);
    expect(ended).toEqual({ code: 130, signal: null, stdout: INTERRUPTED_LINES, stderr: '' });
    expect(performance.now() - startedAtMs).toBeLessThan(SOON_MS);
  });

  test('a turn that does not settle is given up after five seconds [EXEC-32]', async () => {
    const program = run('deaf');
    await program.saw('running');
    program.child.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 143, signal: null, stdout: INTERRUPTED_LINES, stderr: '' });
  });

  test('a signal while the prompt is read ends the command with nothing printed [EXEC-30]', async () => {
    const program = new Program(built.path, { argv: ['--json'], stdin: 'pipe' });
    await program.saw('Reading the prompt');
    program.child.kill('SIGINT');
    expect(await program.ended).toMatchObject({ code: 130, stdout: '' });
  });
});

test('a deadline interrupts the turn with exit code 1 and says so [EXEC-34]', async () => {
  expect(await run('wait', ['--json', '--deadline', '1.5', 'go']).ended).toEqual({
    code: 1,
    signal: null,
    stdout: INTERRUPTED_LINES,
    stderr: 'quire: stopped: the deadline of 1.5 s has passed\n',
  });
});

describe('the reader of stdout', () => {
  test('going away interrupts the turn and exits with 141 within a second [EXEC-33]', async () => {
    const program = run('drip');
    await program.saw('drip');
    const goneAtMs = performance.now();
    program.child.stdout?.destroy();
    const ended = await program.ended;
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 141, stderr: '' });
    expect(performance.now() - goneAtMs).toBeLessThan(SOON_MS);
    await program.saw('closed');
  });

  test('going away while nothing is printed is noticed too: a socket [EXEC-39]', async () => {
    const program = run('sleep');
    await program.saw('turn.started');
    const goneAtMs = performance.now();
    program.child.stdout?.destroy();
    const ended = await program.ended;
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 141, stderr: '' });
    expect(performance.now() - goneAtMs).toBeLessThan(SOON_MS);
    await program.saw('closed');
  });

  test.runIf(process.platform === 'linux')(
    'going away while nothing is printed is noticed too: a pipeline [EXEC-39]',
    async () => {
      const line = '{ "$1" "$2" --json go; echo "code $?" >&2; } | { head -n 2 >&2; echo gone >&2; }';
      const child = spawn('sh', ['-c', line, 'sh', process.execPath, built.path], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env['PATH'], SCRIPT: 'sleep' },
      });
      let stderr = '';
      let goneAtMs = Number.NaN;
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
        if (stderr.includes('gone') && Number.isNaN(goneAtMs)) goneAtMs = performance.now();
      });
      await new Promise((resolve) => child.on('close', resolve));
      expect(stderr.split('\n').slice(2)).toEqual(['gone', 'code 141', '']);
      expect(performance.now() - goneAtMs).toBeLessThan(SOON_MS);
    },
  );

  test.runIf(process.platform === 'linux')('staying is not mistaken for going, whatever it is [EXEC-39]', async () => {
    // The reader hands its end on to another process and closes its own.
    const reader = '{ exec 3<&0; { sleep 0.5; exec cat; } <&3 & exec <&- 3<&-; wait; }';
    const line = `"$1" "$2" --json --deadline 4 go | ${reader}`;
    const child = spawn('sh', ['-c', `${line}; echo end`, 'sh', process.execPath, built.path], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], SCRIPT: 'wait' },
    });
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(stdout).toBe(`${INTERRUPTED_LINES}end\n`);
  });

  test('may be slow: every line arrives whole and in order, the terminal event last [EXEC-35]', async () => {
    const program = run('flood', ['--json', 'go'], { leaveStdout: true });
    await program.saw('flooded');
    const chunks: Buffer[] = [];
    const allRead = new Promise((resolve) => program.child.stdout?.on('end', resolve));
    program.child.stdout?.on('data', (chunk) => chunks.push(chunk));
    const ended = await program.ended;
    await allRead;
    const lines = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');
    expect(ended.code).toBe(0);
    expect(lines.slice(2, -1)).toEqual(
      Array.from({ length: 100 }, (_, index) => {
        const item = { id: `item_${index}`, type: 'agent_message', text: `${index}:${'x'.repeat(10_000)}` };
        return JSON.stringify({ type: 'item.completed', item });
      }),
    );
    expect(lines.slice(-1)).toEqual([expect.stringContaining('"type":"turn.completed"')]);
  });

  test('that stalls is not waited for longer than a second after SIGTERM [EXEC-36]', async () => {
    const program = run('flood', ['--json', 'go'], { leaveStdout: true });
    await program.saw('closed');
    const stoppedAtMs = performance.now();
    program.child.kill('SIGTERM');
    expect((await program.ended).code).toBe(143);
    expect(performance.now() - stoppedAtMs).toBeLessThan(SOON_MS);
    program.child.stdout?.destroy();
  });
});

test.each([
  ['SIGINT', 'turn.completed'],
  ['SIGTERM', 'turn.completed'],
  ['SIGINT', 'ended'],
  ['SIGTERM', 'ended'],
] as const)(
  '%s after everything was delivered changes nothing about a completed run (at %s) [EXEC-48]',
  async (signal, moment) => {
    const program = run('leak');
    await program.saw(moment);
    program.child.kill(signal);
    expect(await program.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  },
);

// Several times: by chance a signal falls between the short steps of an end.
test.each(['leak', ...Array.from({ length: 10 }, () => 'echo')])(
  'signals from then until the process is gone change nothing about a completed run (%s) [EXEC-48]',
  async (script) => {
    const program = run(script);
    await program.saw('turn.completed');
    // One after the other, so that some come at every step of the end.
    const loop = 'while kill -INT "$1" && kill -TERM "$1"; do :; done 2>&-';
    const sender = spawn('bash', ['-c', loop, 'bash', String(program.child.pid)], { stdio: 'ignore' });
    try {
      expect(await program.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    } finally {
      sender.kill('SIGKILL');
    }
  },
);

test('a signal while a completed run closes its thread changes nothing [EXEC-48]', async () => {
  const program = run('slow-close');
  await program.saw('closed');
  program.child.kill('SIGINT');
  expect(await program.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
});

test('stderr that nobody reads is no reason to stop [EXEC-37]', async () => {
  const program = run('echo', ['go']);
  program.child.stderr?.destroy();
  expect(await program.ended).toMatchObject({ code: 0, stdout: 'go\n' });
});

test('a handle left behind does not keep the process after its terminal event [EXEC-38]', async () => {
  const program = run('leak');
  await program.saw('turn.completed');
  const completedAtMs = performance.now();
  expect((await program.ended).code).toBe(0);
  expect(performance.now() - completedAtMs).toBeLessThan(SOON_MS);
});

test('an error that nothing caught fails the turn with one line and no stack [EXEC-46]', async () => {
  expect(await run('fault').ended).toEqual({
    code: 1,
    signal: null,
    stdout: [
      ...INTERRUPTED_LINES.split('\n').slice(0, 2),
      '{"type":"error","message":"internal error: broken"}',
      '{"type":"turn.failed","error":{"message":"internal error: broken"}}',
      '',
    ].join('\n'),
    stderr: 'quire: internal error: broken\n',
  });
});
