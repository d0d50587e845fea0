import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkspaceFiles } from '@quire/host';
import { expect, test } from 'vitest';
import { put } from '../support/git-repository.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;
const files = createWorkspaceFiles();

test('entries are found down to the depth, and links are not entered [FILE-20]', async () => {
  await using folder = await temporaryDirectory();
  put(folder.path, 'a/b/c/d.txt', '');
  put(folder.path, '.hidden', '');
  mkdirSync(join(folder.path, 'empty'));
  symlinkSync('..', join(folder.path, 'a/up'));
  symlinkSync('nowhere', join(folder.path, 'broken'));
  spawnSync('mkfifo', [join(folder.path, 'pipe')]);
  const byPath = (left: { path: string }, right: { path: string }): number => (left.path < right.path ? -1 : 1);
  const list = async (depth: number): Promise<unknown> => {
    const answer = await files.listDirectory(folder.path, { depth, signal: never });
    return answer.kind === 'ok' ? [...answer.value].sort(byPath) : answer;
  };
  const first = [
    { path: '.hidden', type: 'file' },
    { path: 'a', type: 'directory' },
    { path: 'broken', type: 'link' },
    { path: 'empty', type: 'directory' },
    { path: 'pipe', type: 'other' },
  ];
  const second = [
    { path: 'a/b', type: 'directory' },
    { path: 'a/up', type: 'link' },
  ];
  expect(await list(/* depth */ 1)).toEqual(first);
  expect(await list(/* depth */ 2)).toEqual([...first, ...second].sort(byPath));
  expect(await list(/* depth */ 9)).toEqual(
    [...first, ...second, { path: 'a/b/c', type: 'directory' }, { path: 'a/b/c/d.txt', type: 'file' }].sort(byPath),
  );
});

test('what is no directory can not be listed [FILE-21]', async () => {
  await using folder = await temporaryDirectory();
  put(folder.path, 'file', '');
  const list = (name: string) => files.listDirectory(join(folder.path, name), { depth: 2, signal: never });
  expect([await list('file'), await list('missing')]).toEqual([
    { kind: 'failed', reason: `unable to list \`${folder.path}/file\`: ENOTDIR: not a directory` },
    { kind: 'failed', reason: `unable to list \`${folder.path}/missing\`: ENOENT: no such file or directory` },
  ]);
});

test('listing ends with its signal [FILE-22]', async () => {
  await using folder = await temporaryDirectory();
  for (let index = 0; index < 200; index += 1) put(folder.path, `d${index}/file`, '');
  const abort = new AbortController();
  const listing = files.listDirectory(folder.path, { depth: 2, signal: abort.signal });
  const reason = new Error('stop');
  abort.abort(reason);
  await expect(listing).rejects.toBe(reason);
});
