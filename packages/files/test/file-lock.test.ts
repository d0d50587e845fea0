import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeFileLock } from '../src/index.ts';
import { reasonOf, temporaryFolder } from './support/temporary-folder.ts';

const what = 'the list';

test('one holds the lock, the next gets it when it is given back [AUTH-40]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  const first = await takeFileLock(path, { what, waitMs: 10_000 });
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
    await using _taken = await takeFileLock(path, { what, waitMs: 10_000 });
  }
});

test('a clock that was set back does not keep a lock that was left [AUTH-40] [LOCK-01]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  for (const [text, aheadSeconds] of [
    ['', 10],
    [JSON.stringify({ pid: process.pid, realm: 'elsewhere', hold: 'h' }), 3600],
  ] as const) {
    await writeFile(path, text);
    await writeFile(`${path}.takeover`, 'somebody');
    const then = Date.now() / 1000 + aheadSeconds;
    await utimes(path, then, then);
    await utimes(`${path}.takeover`, then, then);
    await using _taken = await takeFileLock(path, { what, waitMs: 10_000 });
  }
  expect(await readdir(home.path)).toEqual([]);
});

test('a lock of another machine whose clock is a little ahead is not taken over [LOCK-01]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  await writeFile(path, JSON.stringify({ pid: process.pid, realm: 'elsewhere', hold: 'h' }));
  const then = Date.now() / 1000 + 60;
  await utimes(path, then, then);
  expect(await reasonOf(takeFileLock(path, { what, waitMs: 0 }))).toMatchObject({ code: 'in-use' });
});

test('a lock of another user is an error at once that says so [LOCK-02]', async () => {
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  await writeFile(path, '{}', { mode: 0o000 });
  await chmod(home.path, 0o777);
  const error = String(await asSomebody(() => reasonOf(takeFileLock(path, { what, waitMs: 600_000 }))));
  expect(error).toBe(
    `FileError: ${path} can not be read: permission denied; it belongs to another user, who has to remove it`,
  );
  expect(await readdir(home.path)).toEqual(['lock']);
});

test('a lock that was left by another user where only its owner may remove it is an error that says so [LOCK-02]', async () => {
  if (process.getuid?.() !== 0) return; // only root can make a file of another user
  await using home = await temporaryFolder();
  const path = join(home.path, 'lock');
  await writeFile(path, '{}', { mode: 0o644 });
  await utimes(path, /* atime */ 1, /* mtime */ 1);
  await chmod(home.path, 0o1777);
  const error = String(await asSomebody(() => reasonOf(takeFileLock(path, { what, waitMs: 600_000 }))));
  expect(error).toBe(
    `FileError: ${path} can not be removed: operation not permitted; remove it as the user that it belongs to`,
  );
  expect(await readdir(home.path)).toEqual(['lock']);
});

test.each(['a pipe', 'a folder'])(
  '%s in the place of a lock is an error at once, and is not waited for [LOCK-03]',
  async (kind) => {
    await using home = await temporaryFolder();
    const path = join(home.path, 'lock');
    if (kind === 'a folder') await mkdir(path);
    else execFileSync('mkfifo', [path]);
    expect(await reasonOf(takeFileLock(path, { what, waitMs: 600_000 }))).toMatchObject({
      name: 'FileError',
      code: 'not-writable',
      message: `${path} is no regular file, and can be no lock; remove it`,
    });
    expect(await readdir(home.path)).toEqual(['lock']);
  },
);

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

/** Root may read everything: it does the work as a user who may not. */
async function asSomebody<Value>(work: () => Promise<Value>): Promise<Value> {
  if (process.getuid?.() !== 0) return await work();
  process.seteuid?.('nobody');
  try {
    return await work();
  } finally {
    process.seteuid?.(/* id */ 0);
  }
}
