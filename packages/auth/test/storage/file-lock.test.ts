import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeLock } from '../../src/storage/file-lock.ts';
import { createHome, failure, reason, signal } from '../support/home.ts';

test('one holds the lock, the next gets it when it is given back [AUTH-40]', async () => {
  await using home = await createHome();
  const path = join(home.path, 'lock');
  const first = await takeLock(path, { signal, waitMs: 1000 });
  const order: string[] = [];
  const second = takeLock(path, { signal, waitMs: 10_000 }).then((lock) => {
    order.push('second has it');
    return lock;
  });
  expect((await failure(takeLock(path, { signal, waitMs: 0 }))).code).toBe('in-use');
  order.push('first gives it back');
  await first.release();
  await (await second).release();
  await first.release();
  expect(order).toEqual(['first gives it back', 'second has it']);
  expect(await readdir(home.path)).toEqual([]);
});

test('a lock of a process that is gone is taken over by one of many [AUTH-40]', async () => {
  await using home = await createHome();
  const path = join(home.path, 'lock');
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  const own = await takeLock(path, { signal, waitMs: 0 });
  const left = JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), pid: child.pid });
  await own.release();
  await writeFile(path, left);
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const lock = await takeLock(path, { signal: new AbortController().signal, waitMs: 20_000 });
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
      await lock.release();
    }),
  );
  expect(most).toBe(1);
});

test('a lock that says nothing, or of another machine, counts for a while only [AUTH-40]', async () => {
  await using home = await createHome();
  const path = join(home.path, 'lock');
  for (const [text, ageSeconds] of [
    ['', 10],
    [JSON.stringify({ pid: process.pid, realm: 'elsewhere', hold: 'h' }), 600],
  ] as const) {
    await writeFile(path, text);
    expect((await failure(takeLock(path, { signal, waitMs: 0 }))).code).toBe('in-use');
    const then = Date.now() / 1000 - ageSeconds;
    await utimes(path, then, then);
    await (await takeLock(path, { signal, waitMs: 1000 })).release();
  }
});

test('waiting ends with the signal [AUTH-40]', async () => {
  await using home = await createHome();
  const path = join(home.path, 'lock');
  const lock = await takeLock(path, { signal, waitMs: 0 });
  await using _held = { [Symbol.asyncDispose]: () => lock.release() };
  const aborting = new AbortController();
  const why = new Error('enough');
  const waiting = reason(takeLock(path, { signal: aborting.signal, waitMs: 60_000 }));
  aborting.abort(why);
  expect(await waiting).toBe(why);
});
