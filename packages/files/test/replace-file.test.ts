import { chmod, lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { probeFile, replaceFile } from '../src/index.ts';
import { reasonOf, temporaryFolder } from './support/temporary-folder.ts';

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('a file that is replaced', () => {
  test('is made with its folders for the owner only, and nothing stays beside it [REPL-01]', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'new/list.json');
    for (const text of ['{"a":1}', '{}']) await replaceFile(path, text);
    expect([await readFile(path, 'utf8'), await modeOf(path), await modeOf(join(folder.path, 'new'))]).toEqual([
      '{}',
      0o600,
      0o700,
    ]);
    expect(await readdir(join(folder.path, 'new'))).toEqual(['list.json']);
  });

  test('is closed to others, unless its permissions are to be kept [REPL-02]', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'list');
    await writeFile(path, 'old');
    await chmod(path, 0o644);
    await replaceFile(path, 'new', { keepsMode: true });
    const kept = await modeOf(path);
    await replaceFile(path, new Uint8Array([0xff]), { mayBeLost: true });
    expect([kept, await modeOf(path), [...(await readFile(path))]]).toEqual([0o644, 0o600, [0xff]]);
  });

  test('stays behind the link that leads to it; a link to nothing is refused [REPL-03]', async () => {
    await using folder = await temporaryFolder();
    const [real, link, lost] = [join(folder.path, 'real'), join(folder.path, 'link'), join(folder.path, 'lost')];
    await writeFile(real, 'old');
    await symlink(real, link);
    await symlink(join(folder.path, 'gone'), lost);
    await replaceFile(link, 'new');
    expect([await readlink(link), await readFile(real, 'utf8')]).toEqual([real, 'new']);
    expect(await reasonOf(replaceFile(lost, 'new'))).toMatchObject({
      code: 'not-writable',
      message: `${lost} is a link to a file that does not exist; remove it or make that file`,
    });
    expect((await lstat(lost)).isSymbolicLink()).toBe(true);
  });

  test('is what it was when that fails, with no draft beside it [REPL-04]', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'list');
    await mkdir(path);
    expect(await reasonOf(replaceFile(path, 'secret'))).toMatchObject({
      code: 'not-writable',
      message: `${path} can not be written: it is a directory; check its folder and the space on the disk`,
    });
    expect(await readdir(folder.path)).toEqual(['list']);
  });
});

test('whether a file can be replaced is tried without changing anything [REPL-05]', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'list');
  await writeFile(path, 'old');
  await probeFile(path);
  expect([await readFile(path, 'utf8'), await readdir(folder.path)]).toEqual(['old', ['list']]);
  expect(await reasonOf(probeFile(join(path, 'below')))).toMatchObject({ code: 'not-writable' });
});
