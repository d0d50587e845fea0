import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeFileLock } from '../src/index.ts';
import { reasonOf, temporaryFolder } from './support/temporary-folder.ts';

const what = 'the list';

test('one holds the lock, the next gets it when it is given back [AUTH-40]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  const first = await takeFileLock(path, { what, waitMs: 1000 });
  const order: string[] = [];
  const second = takeFileLock(path, { what, waitMs: 10_000 }).then((lock) => {
    order.push('second has it');
    return lock;
  });
  expect(await reasonOf(takeFileLock(path, { what, waitMs: 0 }))).toMatchObject({ code: 'in-use' });
  order.push('first gives it back');
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  expect(order).toEqual(['first gives it back', 'second has it']);
  expect(await readdir(home.path)).toEqual([]);
});

test('a lock of a process that is gone is taken over by one of many [AUTH-40]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  const own = await takeFileLock(path, { what, waitMs: 0 });
  const left = JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), pid: child.pid });
  await own[Symbol.asyncDispose]();
  await writeFile(path, left);
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await using _lock = await takeFileLock(path, { what, waitMs: 20_000 });
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
    }),
  );
  expect(most).toBe(1);
});

test('a lock that says nothing, or of another machine, counts for a while only [AUTH-40]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  for (const [text, ageSeconds] of [
    ['', 10],
    [JSON.stringify({ pid: process.pid, realm: 'elsewhere', hold: 'h' }), 600],
  ] as const) {
    await writeFile(path, text);
    expect(await reasonOf(takeFileLock(path, { what, waitMs: 0 }))).toMatchObject({ code: 'in-use' });
    const then = Date.now() / 1000 - ageSeconds;
    await utimes(path, then, then);
    await using _taken = await takeFileLock(path, { what, waitMs: 1000 });
  }
});

test('waiting ends with the signal [AUTH-40]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  await using _held = await takeFileLock(path, { what, waitMs: 0 });
  const aborting = new AbortController();
  const why = new Error('enough');
  const waiting = reasonOf(takeFileLock(path, { what, waitMs: 60_000, signal: aborting.signal }));
  aborting.abort(why);
  expect(await waiting).toBe(why);
});

test('a lock that can not be made is refused at once [AUTH-40]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'file');
  await writeFile(path, '');
  expect(await reasonOf(takeFileLock(join(path, 'lock'), { what, waitMs: 60_000 }))).toMatchObject({
    code: 'not-writable',
    message: `${path} can not be made: it exists already`,
  });
});
