import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { describeSystemError, makeFolder } from '../src/index.ts';
import { reasonOf, temporaryFolder } from './support/temporary-folder.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('folders are made for the owner only, and the first that was made is told [REPL-25]', async () => {
  await using folder = await temporaryFolder();
  expect(makeFolder(join(folder.path, 'a/b/c'))).toBe(join(folder.path, 'a'));
  expect(makeFolder(join(folder.path, 'a/b/c'))).toBeUndefined();
  expect(fs.statSync(join(folder.path, 'a/b')).mode & 0o777).toBe(0o700);
});

test('why the first of several folders can not be made is what is told [REPL-25]', async () => {
  await using folder = await temporaryFolder();
  const tried: string[] = [];
  vi.spyOn(fs, 'mkdirSync').mockImplementation((path, options) => {
    tried.push(String(path));
    const isDeep = typeof options === 'object' && options?.recursive === true;
    // What Node does on a file system that is read-only.
    throw Object.assign(new Error('refused'), { code: isDeep ? 'ENOENT' : 'EROFS' });
  });
  const reason = await reasonOf(Promise.resolve().then(() => makeFolder(join(folder.path, 'a/b/c'))));
  expect(describeSystemError(reason)).toBe('the file system is read-only');
  expect(tried).toEqual([join(folder.path, 'a/b/c'), join(folder.path, 'a')]);
});
