import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { startRunner } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** In the shell's own group, in a pipeline, in another session, and detached from its parent. */
function manyWays(seconds: string): string {
  return `sleep ${seconds} & sleep ${seconds} | cat & setsid sleep ${seconds} &
    (setsid nohup sleep ${seconds} >/dev/null 2>&1 &) ; env -i /bin/sleep ${seconds} & echo up; wait`;
}

/** Without the group and without the environment of the command. */
function hidden(seconds: string): string {
  return `setsid env -i /bin/sleep ${seconds} >/dev/null 2>&1 &`;
}

test('the time limit kills the whole tree and keeps what was printed [HOST-13] [HOST-27]', async () => {
  await using test = startRunner();
  const seconds = uniqueSeconds();
  const outcome = await test.run(hidden(seconds) + manyWays(seconds), { timeoutMs: 3_000 });
  expect(outcome).toEqual({
    end: { kind: 'timed-out' },
    output: 'up\n',
    omittedBytes: 0,
    totalLines: 1,
    durationMs: expect.any(Number),
  });
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
});

test('an abort kills the whole tree and rejects with its reason [HOST-14] [HOST-27]', async () => {
  await using test = startRunner();
  const seconds = uniqueSeconds();
  const controller = new AbortController();
  const reason = new Error('the user said stop');
  const heard: string[] = [];
  const running = test.run(hidden(seconds) + manyWays(seconds), {
    signal: controller.signal,
    onOutput: (chunk) => {
      heard.push(chunk);
      controller.abort(reason);
    },
  });
  await expect(running).rejects.toBe(reason);
  expect(heard).toEqual(['up\n']);
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
});

test('a command that ignores signals is killed all the same [HOST-13]', async () => {
  await using test = startRunner();
  const outcome = await test.run(`trap '' TERM INT HUP; while :; do sleep 1; done`, { timeoutMs: 1_000 });
  expect(outcome.end).toEqual({ kind: 'timed-out' });
  expect(outcome.durationMs).toBeLessThan(10_000);
});

test('a signal that already fired starts nothing [HOST-14]', async () => {
  await using test = startRunner();
  const seconds = uniqueSeconds();
  const reason = new Error('too late');
  await expect(test.run(`sleep ${seconds} &`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(processesWith(seconds)).toEqual([]);
});

test('killing one command leaves another one alone [HOST-14]', async () => {
  await using test = startRunner();
  const controller = new AbortController();
  const numbers = Array.from({ length: 11 }, (_, index) => index);
  const first = test.run('echo up; sleep 20', { signal: controller.signal, onOutput: () => controller.abort() });
  const others = numbers.map((number) => test.run(`sleep 0.5; echo ${number}`));
  await expect(first).rejects.toThrow();
  expect((await Promise.all(others)).map(({ output }) => output)).toEqual(numbers.map((number) => `${number}\n`));
});

test('a child left behind neither delays the end of its command nor is disturbed by it [HOST-15]', async () => {
  await using folder = await temporaryDirectory();
  await using test = startRunner();
  const seconds = uniqueSeconds();
  const heard: string[] = [];
  const child = `(until [ -e go ]; do sleep 0.02; done; echo late; exec sleep ${seconds}) & echo done`;
  const outcome = await test.run(child, { cwd: folder.path, onOutput: (chunk) => heard.push(chunk) });
  await writeFile(join(folder.path, 'go'), '');
  // It becomes `sleep` only after writing into a pipe that nobody waits for any more.
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 1, { withinMs: 10_000 })).toBe(true);
  expect({ end: outcome.end, output: outcome.output, heard }).toEqual({
    end: { kind: 'exited', exitCode: 0 },
    output: 'done\n',
    heard: ['done\n'],
  });
});

test('close kills what was left behind, in whatever session, and is quick [HOST-16]', async () => {
  const test = startRunner();
  const seconds = uniqueSeconds();
  await test.run(manyWays(seconds).replace('wait', ''));
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 5, { withinMs: 10_000 })).toBe(true);
  const startedAt = performance.now();
  await Promise.all([test.runner.close(), test.runner.close()]);
  const closedAfterMs = performance.now() - startedAt;
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
  expect(closedAfterMs).toBeLessThan(5_000);
});

test('close ends what runs, and every later run rejects [HOST-16]', async () => {
  const test = startRunner();
  const seconds = uniqueSeconds();
  let closed: Promise<void> | undefined;
  const running = test.run(`echo up; sleep ${seconds}`, {
    onOutput: () => {
      closed = test.runner.close();
    },
  });
  await expect(running).rejects.toThrow('the command runner was closed');
  await closed;
  expect(processesWith(seconds)).toEqual([]);
  await expect(test.run('true')).rejects.toThrow('the command runner was closed');
  await test.runner.close();
});
