import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileDigests } from '@quire/host';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const signal = new AbortController().signal;
const digests = createFileDigests();

test('a file is told by the digest and the number of its bytes, through a link as well [HOST-120]', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'file');
  for (const size of [0, 1, 65_536, 8 * 1024 * 1024]) {
    const bytes = Buffer.alloc(size, 'ab\n');
    await writeFile(path, bytes);
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
    expect(await digests.digest(path, { signal })).toEqual({ hash, bytes: size });
  }
  await symlink(path, join(folder.path, 'link'));
  expect((await digests.digest(join(folder.path, 'link'), { signal }))?.bytes).toBe(8 * 1024 * 1024);
});

test('what is no file, too large or not there has no digest and is not waited for [HOST-121]', async () => {
  await using folder = await temporaryDirectory();
  const path = (name: string) => join(folder.path, name);
  await writeFile(path('large'), '');
  await truncate(path('large'), 8 * 1024 * 1024 + 1);
  await mkdir(path('directory'));
  execFileSync('mkfifo', [path('pipe')]);
  const results = await Promise.all(
    ['large', 'directory', 'pipe', 'missing', 'a\0b'].map((name) => digests.digest(path(name), { signal })),
  );
  expect(results).toEqual([undefined, undefined, undefined, undefined, undefined]);
});

test('an aborted digest rejects with the reason [HOST-121]', async () => {
  const reason = new Error('stop');
  await expect(digests.digest('/', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
