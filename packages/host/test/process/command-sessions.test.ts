import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandRunner, SessionReading } from '@quire/core';
import { expect, test } from 'vitest';
import { environmentOf, eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { startRunner } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Options = Partial<Parameters<CommandRunner['openSession']>[0]> & {
  readonly yieldMs?: number;
  readonly signal?: AbortSignal;
  readonly onOutput?: (chunk: string) => void;
};

function open(runner: CommandRunner, script: string, options: Options = {}): Promise<SessionReading> {
  const { yieldMs = 20_000, signal = new AbortController().signal, onOutput, ...command } = options;
  return runner.openSession(
    { script, login: false, cwd: tmpdir(), confinement: { kind: 'none' }, tty: false, ...command },
    { yieldMs, signal, ...(onOutput === undefined ? {} : { onOutput }) },
  );
}

async function write(
  runner: CommandRunner,
  sessionId: number,
  text: string,
  options: { readonly yieldMs?: number; readonly onOutput?: (chunk: string) => void } = {},
): Promise<SessionReading> {
  const signal = new AbortController().signal;
  const writing = await runner.writeSession(sessionId, { yieldMs: 20_000, signal, text, ...options });
  if (writing.kind !== 'read') throw new Error(`the session could not be read: ${writing.kind}`);
  return writing.reading;
}

/** Opens a session and looks until it printed `text`. */
async function openUntil(runner: CommandRunner, script: string, text: string, options: Options = {}) {
  const { sessionId, output } = await open(runner, script, { ...options, yieldMs: 1 });
  return { sessionId, output: output + (output.includes(text) ? '' : await readUntil(runner, sessionId, text)) };
}

/** Looks until the output from now on contains `text`. */
async function readUntil(runner: CommandRunner, sessionId: number, text: string): Promise<string> {
  const deadline = performance.now() + 20_000;
  let output = '';
  while (!output.includes(text) && performance.now() < deadline) {
    output += (await write(runner, sessionId, '', { yieldMs: 20 })).output;
  }
  return output;
}

test('a session that ends during its first look is told with its end and forgotten [CMD-20]', async () => {
  await using test = startRunner();
  const reading = await open(test.runner, 'echo out; echo err >&2; exit 3');
  expect(reading).toEqual({
    sessionId: expect.any(Number),
    output: expect.any(String),
    omittedBytes: 0,
    end: { kind: 'exited', exitCode: 3 },
    durationMs: expect.any(Number),
  });
  expect(reading.output.split('\n').sort()).toEqual(['', 'err', 'out']);
  expect(Number.isInteger(reading.sessionId) && reading.sessionId >= 10_000 && reading.sessionId <= 99_999).toBe(true);
  const later = { yieldMs: 10, signal: new AbortController().signal, text: '' };
  expect(await test.runner.writeSession(reading.sessionId, later)).toEqual({ kind: 'unknown-session' });
});

test('a session goes on after its look, and each look tells what is new [CMD-21]', async () => {
  await using folder = await temporaryDirectory();
  await using test = startRunner();
  const script = 'echo one; until [ -e go ]; do sleep 0.02; done; echo two';
  const heard: string[] = [];
  const first = await open(test.runner, script, {
    cwd: folder.path,
    yieldMs: 2_000,
    onOutput: (chunk) => heard.push(chunk),
  });
  expect({ output: first.output, end: first.end }).toEqual({ output: 'one\n', end: undefined });
  expect(first.durationMs).toBeGreaterThan(1_900);
  await writeFile(join(folder.path, 'go'), '');
  const second = await write(test.runner, first.sessionId, '');
  expect(second).toEqual({
    sessionId: first.sessionId,
    output: 'two\n',
    omittedBytes: 0,
    end: { kind: 'exited', exitCode: 0 },
    durationMs: expect.any(Number),
  });
  expect(heard).toEqual(['one\n']);
});

test('a session without a terminal reads the end of its input and takes none [CMD-22]', async () => {
  await using test = startRunner();
  const { sessionId, output } = await openUntil(test.runner, 'cat; echo "read $?"; sleep 20', 'read 0\n');
  expect(output).toBe('read 0\n');
  const look = { yieldMs: 10, signal: new AbortController().signal, text: 'hello\n' };
  expect(await test.runner.writeSession(sessionId, look)).toEqual({ kind: 'input-closed' });
});

test('a session on a terminal echoes what is typed and answers to control characters [CMD-23]', async () => {
  await using test = startRunner();
  const script = 'tty >/dev/null && echo terminal; stty size; read line; echo "got $line"; cat';
  const { sessionId, output } = await openUntil(test.runner, script, '24 80\r\n', { tty: true });
  expect(output).toBe('terminal\r\n24 80\r\n');
  const typed = await write(test.runner, sessionId, 'höllo\n', { yieldMs: 1 });
  const answer = typed.output.includes('got') ? '' : await readUntil(test.runner, sessionId, 'got höllo\r\n');
  expect(typed.output + answer).toBe('höllo\r\ngot höllo\r\n');
  const last = await write(test.runner, sessionId, '\u0003');
  expect({ output: last.output, end: last.end }).toEqual({
    output: '^C',
    end: { kind: 'signalled', signal: 'SIGINT' },
  });
});

test('a terminal is the controlling one of its command, with job control [CMD-23]', async () => {
  await using test = startRunner();
  const { sessionId } = await openUntil(test.runner, "PS1='ready> ' exec bash --norc -i", 'ready> ', {
    tty: true,
    environment: { HISTFILE: '' },
  });
  await write(test.runner, sessionId, 'sleep 1000 &\n', { yieldMs: 1 });
  const { output } = await write(test.runner, sessionId, 'jobs; echo tty of $(ps -o tty= -p $$)\n', { yieldMs: 10 });
  expect(output + (await readUntil(test.runner, sessionId, 'tty of pts/'))).toMatch(/Running +sleep 1000 &/);
});

test('an abort before the first look is over kills the session, one during a later look does not [CMD-24]', async () => {
  await using test = startRunner();
  for (const tty of [false, true]) {
    const seconds = uniqueSeconds();
    const controller = new AbortController();
    const reason = new Error('stop');
    const opening = open(test.runner, `sleep ${seconds} & setsid sleep ${seconds} & echo up; wait`, {
      tty,
      signal: controller.signal,
      onOutput: () => controller.abort(reason),
    });
    await expect(opening).rejects.toBe(reason);
    expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);

    const running = await openUntil(test.runner, 'echo up; read line; echo late', 'up\r\n', { tty: true });
    const later = new AbortController();
    const look = { yieldMs: 20_000, signal: later.signal, text: '' };
    const waiting = test.runner.writeSession(running.sessionId, look);
    later.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect((await write(test.runner, running.sessionId, 'x\n')).output).toBe('x\r\nlate\r\n');
  }
});

test('of long output between two looks head and tail are kept, also on a terminal [CMD-25]', async () => {
  await using test = startRunner();
  for (const tty of [false, true]) {
    const reading = await open(test.runner, 'echo first; head -c 3000000 /dev/zero | tr "\\0" x; echo; echo last', {
      tty,
    });
    const newlineBytes = tty ? 3 : 0;
    expect({ omittedBytes: reading.omittedBytes, end: reading.end }).toEqual({
      omittedBytes: 3_000_012 + newlineBytes - 1024 * 1024,
      end: { kind: 'exited', exitCode: 0 },
    });
    expect(reading.output.startsWith('first')).toBe(true);
    expect(reading.output.trimEnd().endsWith('last')).toBe(true);
  }
});

test('hundreds of megabytes pass through a session at flat memory [CMD-33]', async () => {
  await using test = startRunner();
  await open(test.runner, 'yes | head -c 20M');
  const before = process.memoryUsage.rss();
  const { omittedBytes, end } = await open(test.runner, 'yes | head -c 300M');
  expect({ omittedBytes, end }).toEqual({ omittedBytes: 299 * 1024 * 1024, end: { kind: 'exited', exitCode: 0 } });
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
});

test('a character that is cut between two looks is told whole with the second [CMD-26]', async () => {
  await using folder = await temporaryDirectory();
  await using test = startRunner();
  const script = String.raw`printf 'a\303'; until [ -e go ]; do sleep 0.02; done; printf '\274b\377'`;
  const first = await openUntil(test.runner, script, 'a', { cwd: folder.path });
  await writeFile(join(folder.path, 'go'), '');
  const second = await write(test.runner, first.sessionId, '');
  expect([first.output, second.output]).toEqual(['a', 'üb\uFFFD']);
});

test('a missing directory starts no session and gives a reason, with or without a terminal [CMD-27]', async () => {
  await using test = startRunner();
  for (const tty of [false, true]) {
    const { end, output } = await open(test.runner, 'true', { cwd: '/missing', tty });
    expect({ output, end }).toEqual({
      output: '',
      end: {
        kind: 'not-started',
        reason: 'the working directory /missing can not be used (ENOENT: no such file or directory)',
      },
    });
  }
});

test('of 64 sessions the oldest makes room for another, one that ended first, never one of the last eight [CMD-28, CMD-47]', async () => {
  await using test = startRunner();
  const seconds = uniqueSeconds();
  const openings = Array.from({ length: 64 }, () => open(test.runner, `exec sleep ${seconds}`, { yieldMs: 1 }));
  const ids = (await Promise.all(openings)).map(({ sessionId }) => sessionId);
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 64, { withinMs: 10_000 })).toBe(true);
  const [oldest = 0, second = 0] = ids;
  await write(test.runner, oldest, '', { yieldMs: 1 }); // now it was used last
  const ended = pidOfSomeSession(seconds, ids.length);
  process.kill(ended, 'SIGKILL');
  // Gone, and not only dying: our own process was told of the end, and its pipes were closed before.
  expect(await eventually(() => !existsSync(`/proc/${ended}`), { withinMs: 10_000 })).toBe(true);
  await test.run('true'); // by then the runner read the ends of the pipes as well, and others may have them
  await open(test.runner, `exec sleep ${seconds}`, { yieldMs: 1 });
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 64, { withinMs: 10_000 })).toBe(true);
  const look = { yieldMs: 1, signal: new AbortController().signal, text: '' };
  expect((await test.runner.writeSession(second, look)).kind).toBe('read');
  await open(test.runner, `exec sleep ${seconds}`, { yieldMs: 1 });
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 64, { withinMs: 10_000 })).toBe(true);
  expect((await test.runner.writeSession(oldest, look)).kind).toBe('read');
});

/** The process of some session that was neither the first nor one of the last eight. */
function pidOfSomeSession(seconds: string, count: number): number {
  const marks = processesWith(`sleep\0${seconds}`).map((pid) => ({
    pid,
    number: Number(/QUIRE_OWNER=\w+\.(\d+)/.exec(environmentOf(pid))?.[1]),
  }));
  marks.sort((left, right) => left.number - right.number);
  return marks[Math.floor(count / 2)]?.pid ?? 0;
}

test('close ends every session, and what it left, and later calls reject [CMD-29]', async () => {
  const test = startRunner();
  const seconds = uniqueSeconds();
  for (const tty of [false, true]) {
    await open(test.runner, `setsid sleep ${seconds} & sleep ${seconds}`, { tty, yieldMs: 1 });
  }
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 4, { withinMs: 10_000 })).toBe(true);
  await test.runner.close();
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
  await expect(open(test.runner, 'true')).rejects.toThrow('the command runner was closed');
});

test('no command inherits the terminal of another [CMD-30]', async () => {
  await using test = startRunner();
  await open(test.runner, 'cat', { tty: true, yieldMs: 1 });
  const masters = 'for fd in /proc/self/fd/*; do readlink $fd; done | grep -c ptmx';
  const sessions = await Promise.all([false, true].map((tty) => open(test.runner, masters, { tty })));
  const outputs = [(await test.run(masters)).output, ...sessions.map(({ output }) => output.trim())];
  expect(outputs).toEqual(['0\n', '0', '0']);
});

test('a daemon that detaches neither delays the end of its session nor survives the runner [CMD-31]', async () => {
  for (const tty of [false, true]) {
    const test = startRunner();
    const seconds = uniqueSeconds();
    const daemon = `trap '' HUP; (setsid sleep ${seconds} &); sleep 0.2; echo done`;
    const reading = await open(test.runner, daemon, { tty });
    expect({ output: reading.output.trim(), end: reading.end }).toEqual({
      output: 'done',
      end: { kind: 'exited', exitCode: 0 },
    });
    expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 1, { withinMs: 10_000 })).toBe(true);
    await test.runner.close();
    expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
  }
});

test('a session that ignores signals is killed all the same [CMD-31]', async () => {
  const test = startRunner();
  const seconds = uniqueSeconds();
  await open(test.runner, `trap '' TERM INT HUP; sleep ${seconds}; while :; do sleep 1; done`, {
    tty: true,
    yieldMs: 1,
  });
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 1, { withinMs: 10_000 })).toBe(true);
  await test.runner.close();
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
});

test('a program runs without a shell, with its own variables, and so does another shell [CMD-32]', async () => {
  await using test = startRunner();
  const base = { cwd: '/', confinement: { kind: 'none' }, timeoutMs: 20_000, environment: { COLOR: 'a b' } } as const;
  const options = { signal: new AbortController().signal };
  const program = await test.runner.run({ ...base, argv: ['printenv', 'COLOR'] }, options);
  const script = { ...base, script: 'echo "$0 $COLOR"', login: true, shell: 'sh' };
  const shell = await test.runner.run(script, options);
  const missing = await test.runner.run({ ...base, argv: ['/missing/program'] }, options);
  expect([program.output, shell.output, missing.end]).toEqual([
    'a b\n',
    'sh a b\n',
    {
      kind: 'not-started',
      reason: 'the program /missing/program could not be started (there is no such program)',
    },
  ]);
  expect(test.runner.argv(script)).toEqual(['sh', '-lc', 'echo "$0 $COLOR"']);
});
