import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { follow } from '../../src/process/follow-program.ts';

test('output that a busy process had no time to read belongs to the answer of a program [HOOK-05]', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const child = Object.assign(new EventEmitter(), { stdin: null, stdout, stderr, unref: () => undefined });
  const ended = follow(child as unknown as ChildProcess, {
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    killTree: async () => undefined,
  });
  await nextTurn(); // from here on timers come before whatever the system has to tell
  child.emit('exit', 0, null);
  const busyUntil = performance.now() + 300;
  while (performance.now() < busyUntil); // longer than the wait for the end of the output
  setImmediate(() => stdout.write('late'));
  expect(await ended).toEqual({ kind: 'exited', exitCode: 0, stdout: 'late', stderr: '' });
});
