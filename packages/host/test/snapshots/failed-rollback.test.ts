import { readdirSync, rmSync } from 'node:fs';
import fileSystem from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { createWorkTreeSnapshots } from '@quire/host';
import { expect, test } from 'vitest';
import { filesOf, initRepository, put } from '../support/git-repository.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Until it is disposed, renames that `check` throws for fail, in all modules. */
function faultyRename(check: (from: string, to: string) => void): Disposable {
  const { rename } = fileSystem;
  const replace = (by: typeof rename): void => {
    fileSystem.rename = by;
    syncBuiltinESMExports();
  };
  replace(async (from, to) => {
    check(String(from), String(to));
    await rename(from, to);
  });
  return { [Symbol.dispose]: () => replace(rename) };
}

test('originals that can not be put back are kept, and the message says where [HOST-130]', async () => {
  await using folder = await temporaryDirectory();
  const root = join(folder.path, 'repo');
  initRepository(root);
  const snapshots = createWorkTreeSnapshots({ home: join(folder.path, 'home') });
  const controller = new AbortController();
  const { signal } = controller;
  put(root, 'd/a', '1\n');
  put(root, 'z', '1\n');
  const { ref } = await snapshots.take({ cwd: root, signal });
  put(root, 'd/a', '2\n');
  put(root, 'z', '2\n');
  put(root, 'd/since', 'new\n');
  using faulty = faultyRename((from, to) => {
    const isFatal = to === join(root, 'z') || (to === join(root, 'd/since') && from.includes('/old/'));
    if (!isFatal) return;
    controller.abort(new Error('stopped meanwhile')); // what was lost is said all the same
    throw Object.assign(new Error('EIO: broken disk'), { code: 'EIO' });
  });
  const failure = await snapshots.restore(ref ?? { id: '' }, { cwd: root, signal }).catch((error: unknown) => error);
  faulty[Symbol.dispose]();
  const staging = join(root, readdirSync(root).find((name) => name.startsWith('.quire-restore-')) ?? 'none');
  expect(failure).toMatchObject({
    code: 'rollback-failed',
    message: `the restore stopped half-way in ${root} (EIO: broken disk); files that are not back are in ${join(staging, 'old')}; move them back when that is solved`,
  });
  expect(filesOf(join(staging, 'old'))['d/since']).toBe('file 644 new\n');
  rmSync(staging, { recursive: true });
  expect(filesOf(root)).toEqual({ 'd/a': 'file 644 2\n', z: 'file 644 2\n' });
});
