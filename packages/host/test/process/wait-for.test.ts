import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { waitFor } from '../../src/process/abort.ts';

const { signal } = new AbortController();

test('what has happened counts although a busy process takes notice of it behind the time limit [HOST-13]', async () => {
  await nextTurn(); // from here on timers come before whatever the system has to tell
  let tell = (_value: string): void => undefined;
  const work = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const waiting = waitFor(work, { timeoutMs: 20, signal });
  const busyUntil = performance.now() + 100;
  while (performance.now() < busyUntil); // longer than the limit
  setImmediate(() => tell('done in time'));
  expect(await waiting).toEqual({ kind: 'done', value: 'done in time' });
});

test('work that goes on is given up when its time is over [HOST-13]', async () => {
  expect(await waitFor(new Promise(() => undefined), { timeoutMs: 20, signal })).toEqual({ kind: 'timed-out' });
});
