import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { supervise } from '../../src/process/supervise.ts';

const ONE_LINE = { omittedBytes: 0, totalLines: 1 };

/** A command whose output and exit the test decides: what a real one does in which order is up to the system. */
function scriptedCommand() {
  const child = Object.assign(new EventEmitter(), { unref: () => undefined });
  const stdout = Object.assign(new PassThrough({ highWaterMark: 2 ** 20 }), { unref: () => undefined });
  const stderr = Object.assign(new PassThrough(), { unref: () => undefined });
  const streams = [stdout as unknown as Socket, stderr as unknown as Socket] as const;
  return { child, stdout, stderr, streams, asChild: child as unknown as ChildProcess };
}

test('live output stops after 10,000 deltas and the outcome is still whole [HOST-08]', async () => {
  const command = scriptedCommand();
  let deltas = 0;
  const ended = supervise({
    child: command.asChild,
    streams: command.streams,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    onOutput: () => {
      deltas += 1;
    },
    killTree: async () => undefined,
  });
  for (let count = 0; count < 11_000; count += 1) command.stdout.write('x');
  command.stdout.end();
  command.stderr.end();
  command.child.emit('exit', 0, null);
  expect(await ended).toEqual({ end: { kind: 'exited', exitCode: 0 }, output: 'x'.repeat(11_000), ...ONE_LINE });
  expect(deltas).toBe(10_000);
});

test('a process that the system does not let die is given up after a second [HOST-13]', async () => {
  const command = scriptedCommand();
  let kills = 0;
  const ended = supervise({
    child: command.asChild,
    streams: command.streams,
    timeoutMs: 1,
    signal: new AbortController().signal,
    onOutput: undefined,
    killTree: async () => {
      kills += 1;
    },
  });
  command.stdout.write('partial');
  expect(await ended).toEqual({ end: { kind: 'timed-out' }, output: 'partial', ...ONE_LINE });
  expect(kills).toBe(1);
});

test('output that a busy process had no time to read belongs to the outcome [HOST-15]', async () => {
  const command = scriptedCommand();
  const ended = supervise({
    child: command.asChild,
    streams: command.streams,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    onOutput: undefined,
    killTree: async () => undefined,
  });
  command.child.emit('exit', 0, null);
  const busyUntil = performance.now() + 300;
  while (performance.now() < busyUntil); // longer than the wait for the end of the output
  setImmediate(() => command.stdout.write('late'));
  expect(await ended).toEqual({ end: { kind: 'exited', exitCode: 0 }, output: 'late', ...ONE_LINE });
});
