import { spawnSync } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { FileEdit } from '@quire/core';
import { createPatchFiles } from '@quire/host';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const files = createPatchFiles();
/** Does not fit into the file system of the test that has little space. */
const LARGE = 'x'.repeat(1024 * 1024);
const SMALL_SPACE_KIBIBYTES = 256;

/** Every way in which an edit changes a folder: replaced, in place, through a link, new, in new folders, gone, moved. */
function sound(at: (name: string) => string): readonly FileEdit[] {
  return [
    { kind: 'write', path: at('replaced'), text: 'new' },
    { kind: 'write', path: at('one-name'), text: 'longer than it was before' },
    { kind: 'write', path: at('link'), text: 'new' },
    { kind: 'write', path: at('fresh'), text: 'new' },
    { kind: 'write', path: at('deep/er/fresh'), text: 'new' },
    { kind: 'delete', path: at('gone') },
    { kind: 'write', path: at('moved-here'), text: 'moved' },
    { kind: 'delete', path: at('moved-away') },
    { kind: 'delete', path: at('link-to-nothing') },
  ];
}

async function layOut(at: (name: string) => string): Promise<void> {
  for (const name of ['replaced', 'one-name', 'linked', 'gone', 'moved-away']) await writeFile(at(name), `old ${name}`);
  await chmod(at('replaced'), 0o751);
  await link(at('one-name'), at('other-name'));
  await symlink('linked', at('link'));
  await symlink('nothing', at('link-to-nothing'));
  await mkdir(at('folder'));
}

/** Names, kinds, modes and contents of all there is. */
async function everything(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const stats = await lstat(path);
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) return `${name} -> ${await readlink(path)}`;
      return stats.isDirectory() ? `${name}/ ${mode}` : `${name} ${mode} ${await readFile(path, 'utf8')}`;
    }),
  );
}

type Fault = readonly [title: string, edit: (at: (name: string) => string) => FileEdit, reason: string];

const FAULTS: readonly Fault[] = [
  ['a folder in its place', (at) => ({ kind: 'write', path: at('folder'), text: '' }), 'it is a directory'],
  ['a file above it', (at) => ({ kind: 'write', path: at('linked/x'), text: '' }), 'ENOTDIR: not a directory'],
  [
    'a link that leads elsewhere than was allowed',
    (at) => ({ kind: 'write', path: at('link'), target: at('link'), text: 'new' }),
    'it leads to ',
  ],
  [
    'a link to delete, elsewhere than was allowed',
    (at) => ({ kind: 'delete', path: at('link'), target: at('linked') }),
    'which is not what was allowed',
  ],
  ['nothing to delete', (at) => ({ kind: 'delete', path: at('missing') }), 'ENOENT: no such file or directory'],
];

const POINTS = sound((name) => name).map((_, index) => index);

async function failAt(point: number, folder: string, failing: FileEdit, reason: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  await layOut(at);
  const before = await everything(folder);
  await expect(files.apply(sound(at).toSpliced(point, 0, failing))).rejects.toMatchObject({
    path: failing.path,
    message: expect.stringContaining(reason),
  });
  expect(await everything(folder)).toEqual(before);
}

describe('an edit that fails leaves nothing of those before it, whichever place it has [PATCH-52]', () => {
  describe.each(FAULTS)('%s', (_title, edit, reason) => {
    test.each(POINTS)('behind %i edits', async (point) => {
      await using folder = await temporaryDirectory();
      await failAt(
        point,
        folder.path,
        edit((name) => join(folder.path, name)),
        reason,
      );
    });
  });

  test('and all are made when none fails', async () => {
    await using folder = await temporaryDirectory();
    const at = (name: string) => join(folder.path, name);
    await layOut(at);
    await files.apply(sound(at));
    const names = (await everything(folder.path)).map((line) => line.replace(/ \d+( |$)/, '$1'));
    expect(names).toEqual([
      'deep/',
      'deep/er/',
      'deep/er/fresh new',
      'folder/',
      'fresh new',
      'link -> linked',
      'linked new',
      'moved-here moved',
      'one-name longer than it was before',
      'other-name longer than it was before',
      'replaced new',
    ]);
  });
});

test('an edit lands where it was allowed, also when somebody puts a link into the way [PATCH-57]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  for (const name of ['inside', 'elsewhere']) {
    await mkdir(at(name));
    await writeFile(at(`${name}/f`), 'old');
  }
  const edits: readonly FileEdit[] = [
    { kind: 'write', path: at('inside/f'), target: at('inside/f'), text: 'new' },
    { kind: 'delete', path: at('inside/f'), target: at('inside/f') },
  ];
  await rename(at('inside'), at('set-aside'));
  await symlink('elsewhere', at('inside'));
  for (const edit of edits) {
    await expect(files.apply([edit])).rejects.toThrow(
      `${edit.path}: it leads to ${at('elsewhere/f')} now, which is not what was allowed`,
    );
  }
  expect(await readFile(at('elsewhere/f'), 'utf8')).toBe('old');
  await rm(at('inside'));
  await rename(at('set-aside'), at('inside'));
  await files.apply(edits);
  expect(await readdir(at('inside'))).toEqual([]);
});

describe.skipIf(!canMount())('a disk without space leaves everything as it was [PATCH-53]', () => {
  test.each(POINTS)('behind %i edits', async (point) => {
    await using folder = await temporaryDirectory();
    mount(folder.path);
    try {
      const failing = { kind: 'write', path: join(folder.path, 'large'), text: LARGE } as const;
      await failAt(point, folder.path, failing, 'ENOSPC: no space left on device');
    } finally {
      spawnSync('umount', [folder.path]);
    }
  });

  test('and a file that is overwritten there keeps its text', async () => {
    await using folder = await temporaryDirectory();
    mount(folder.path);
    try {
      const failing = { kind: 'write', path: join(folder.path, 'replaced'), text: LARGE } as const;
      await failAt(/* point */ 0, folder.path, failing, 'ENOSPC: no space left on device');
    } finally {
      spawnSync('umount', [folder.path]);
    }
  });
});

function mount(folder: string): void {
  const { status } = spawnSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${SMALL_SPACE_KIBIBYTES}k,mode=755`,
    'tmpfs',
    folder,
  ]);
  if (status !== 0) throw new Error(`mounting on ${folder} ended with ${status}`);
}

/** Only where mounting works, which takes Linux and more than a plain user. */
function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
}
