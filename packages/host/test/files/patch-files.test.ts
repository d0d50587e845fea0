import { spawnSync } from 'node:child_process';
import {
  access,
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { createPatchFiles } from '@quire/host';
import { expect, test } from 'vitest';
import { applyEdits } from '../../src/files/apply-edits.ts';
import { runInProgram } from '../support/run-in-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const files = createPatchFiles();

test('a file is read as text with its byte order mark and line ends [HOST-30]', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'a.txt');
  await writeFile(path, '\uFEFFü\r\nb');
  expect(await files.read(path)).toEqual({ kind: 'text', text: '\uFEFFü\r\nb' });
});

test('what is no text file is told apart and never waited for [HOST-31]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('binary'), Buffer.of(0x61, 0xff));
  await writeFile(at('file'), '');
  await writeFile(at('huge'), '');
  await truncate(at('huge'), 128 * 1024 * 1024 + 1);
  await symlink('circle', at('circle'));
  spawnSync('mkfifo', [at('pipe')]);
  const names = ['missing', 'file/below', 'binary', 'huge', 'pipe', 'circle'];
  const readings = [folder.path, ...names.map(at)].map(files.read);
  expect(await Promise.all(readings)).toEqual([
    { kind: 'directory' },
    { kind: 'missing' },
    { kind: 'missing' },
    { kind: 'unreadable', reason: 'not valid UTF-8' },
    { kind: 'unreadable', reason: 'too large' },
    { kind: 'unreadable', reason: 'not a regular file' },
    { kind: 'unreadable', reason: 'ELOOP: too many symbolic links encountered' },
  ]);
});

test('the target of a path follows every link, also to what does not exist yet [HOST-32]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await mkdir(at('real'));
  await symlink('real', at('link'));
  await symlink('../outside/new.txt', at('real/dangling'));
  await symlink('circle', at('circle'));
  const targets = [at('link/x/y.txt'), at('link/dangling'), at('link/../plain')].map(files.resolveTarget);
  expect(await Promise.all(targets)).toEqual([at('real/x/y.txt'), at('outside/new.txt'), at('plain')]);
  await expect(files.resolveTarget(at('circle'))).rejects.toMatchObject({ code: 'ELOOP' });
});

test('edits write, overwrite and delete in order and leave nothing else behind [HOST-33]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('old.txt'), 'old');
  await writeFile(at('gone.txt'), 'gone');
  await files.apply([
    { kind: 'write', path: at('deep/er/new.txt'), text: 'new' },
    { kind: 'write', path: at('old.txt'), text: 'first' },
    { kind: 'delete', path: at('gone.txt') },
    { kind: 'write', path: at('old.txt'), text: 'second' },
    { kind: 'write', path: at('brief.txt'), text: '' },
    { kind: 'delete', path: at('brief.txt') },
  ]);
  expect(await snapshot(folder.path)).toEqual({ 'deep/er/new.txt': 'new', 'old.txt': 'second' });
});

test('the mode of an overwritten file stays and a new file gets the usual one [HOST-34]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('script'), '#!/bin/sh\n');
  await chmod(at('script'), 0o4751);
  await files.apply([
    { kind: 'write', path: at('script'), text: '#!/bin/sh\necho\n' },
    { kind: 'write', path: at('new'), text: '' },
  ]);
  await writeFile(at('reference'), '');
  const modes = await Promise.all(['script', 'new', 'reference'].map(async (name) => (await stat(at(name))).mode));
  expect(modes.map((mode) => mode & 0o7777)).toEqual([0o4751, (modes[2] ?? 0) & 0o7777, (modes[2] ?? 0) & 0o7777]);
});

test('a write goes through a link and a delete takes the link itself [HOST-35]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('target'), 'old');
  await symlink('target', at('link'));
  await symlink('target', at('doomed'));
  await files.apply([
    { kind: 'write', path: at('link'), text: 'new' },
    { kind: 'delete', path: at('doomed') },
  ]);
  expect((await lstat(at('link'))).isSymbolicLink()).toBe(true);
  expect(await snapshot(folder.path)).toEqual({ link: 'new', target: 'new' });
});

const failures: readonly [
  string,
  (at: (name: string) => string) => Parameters<typeof files.apply>[0][number],
  string,
][] = [
  [
    'a directory in place of the file',
    (at) => ({ kind: 'write', path: at('directory'), text: '' }),
    'could not write %/directory: it is a directory',
  ],
  [
    'a file in place of a parent directory',
    (at) => ({ kind: 'write', path: at('kept/x/y'), text: '' }),
    'could not write %/kept/x/y: ENOTDIR: not a directory',
  ],
  [
    'a name that is too long',
    (at) => ({ kind: 'write', path: at('n'.repeat(300)), text: '' }),
    `could not write %/${'n'.repeat(300)}: ENAMETOOLONG: name too long`,
  ],
  [
    'a delete of what is not there',
    (at) => ({ kind: 'delete', path: at('missing') }),
    'could not delete %/missing: ENOENT: no such file or directory',
  ],
  [
    'a delete of a directory',
    (at) => ({ kind: 'delete', path: at('directory') }),
    'could not delete %/directory: it is a directory',
  ],
  [
    'a write to a device',
    () => ({ kind: 'write', path: '/dev/null', text: '' }),
    'could not write /dev/null: it is not a regular file',
  ],
];

test.each(failures)('%s undoes every edit before and after it [HOST-36]', async (_, failing, message) => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('kept'), 'kept');
  await chmod(at('kept'), 0o600);
  await writeFile(at('deleted'), 'deleted');
  await mkdir(at('directory'));
  const before = await Promise.all(['kept', 'deleted'].map(async (name) => (await stat(at(name))).ino));
  const applied = files.apply([
    { kind: 'write', path: at('kept'), text: 'changed' },
    { kind: 'write', path: at('kept'), text: 'changed again' },
    { kind: 'delete', path: at('deleted') },
    { kind: 'write', path: at('made/by/edit'), text: 'new' },
    { kind: 'write', path: at('directory/inside'), text: 'new' },
    failing(at),
    { kind: 'write', path: at('later'), text: 'never' },
  ]);
  await expect(applied).rejects.toMatchObject({
    name: 'FileEditError',
    message: message.replace('%', folder.path),
    path: failing(at).path,
  });
  expect(await snapshot(folder.path)).toEqual({ deleted: 'deleted', kept: 'kept' });
  expect((await readdir(folder.path)).sort()).toEqual(['deleted', 'directory', 'kept']);
  expect(await Promise.all(['kept', 'deleted'].map(async (name) => (await stat(at(name))).ino))).toEqual(before);
  expect((await stat(at('kept'))).mode & 0o777).toBe(0o600);
});

test('a single edit that fails leaves no temporary file and no directory [HOST-36]', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'new/directory', 'n'.repeat(300));
  await expect(files.apply([{ kind: 'write', path, text: 'x' }])).rejects.toMatchObject({ code: 'write-failed' });
  expect(await readdir(folder.path)).toEqual([]);
});

test('a write-protected file is not overwritten and the error names it [HOST-37]', async () => {
  await using folder = await strangersFolder();
  await writeFile(folder.at('other'), 'old');
  await chown(folder.at('other'), folder.uid, folder.uid);
  await writeFile(folder.at('protected'), 'precious', { mode: 0o444 });
  await chown(folder.at('protected'), folder.uid, folder.uid);
  const ran = await runInProgram(folder.path, asStranger(['other', 'protected'], folder.path));
  const path = folder.at('protected');
  expect(ran.result).toEqual({
    code: 'write-failed',
    path,
    message: `could not write ${path}: it is write-protected (EACCES: permission denied); make it writable first if it is to be changed`,
  });
  expect(await folder.contents()).toEqual({ other: 'old', protected: 'precious' });
});

test('in a folder that is not writable files are written in place, and back when an edit fails [HOST-38]', async () => {
  await using folder = await strangersFolder();
  await mkdir(folder.at('closed'));
  for (const name of ['closed/one', 'closed/two']) {
    await writeFile(folder.at(name), 'long original');
    await chown(folder.at(name), folder.uid, folder.uid);
  }
  await chmod(folder.at('closed'), 0o555);
  const ran = await runInProgram(folder.path, asStranger(['closed/one', 'closed/two'], folder.path));
  expect({ result: ran.result, contents: await folder.contents() }).toEqual({
    result: 'applied',
    contents: { 'closed/one': 'new', 'closed/two': 'new' },
  });
  const failing = await runInProgram(
    folder.path,
    asStranger(['closed/one', 'closed/three'], folder.path, 'newer text'),
  );
  expect(failing.result).toMatchObject({ code: 'write-failed', path: folder.at('closed/three') });
  expect(await folder.contents()).toEqual({ 'closed/one': 'new', 'closed/two': 'new' });
  await chmod(folder.at('closed'), 0o755);
});

test('a file with several names stays one file, and is restored when a later edit fails [HOST-38]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('one'), 'a long original\n');
  await chmod(at('one'), 0o4751);
  await link(at('one'), at('other'));
  const before = await stat(at('other'));
  const failed = files.apply([
    { kind: 'write', path: at('one'), text: 'short' },
    { kind: 'write', path: at('other'), text: 'a text longer than the original\n' },
    { kind: 'delete', path: at('missing') },
  ]);
  await expect(failed).rejects.toMatchObject({ code: 'delete-failed', path: at('missing') });
  expect(await snapshot(folder.path)).toEqual({ one: 'a long original\n', other: 'a long original\n' });
  await files.apply([{ kind: 'write', path: at('one'), text: 'new' }]);
  const after = await stat(at('other'));
  expect(await snapshot(folder.path)).toEqual({ one: 'new', other: 'new' });
  expect([after.ino, after.mode, after.nlink]).toEqual([before.ino, before.mode, 2]);
});

test.each(['EBUSY', 'EXDEV'])(
  'a mounted file, where renaming ends with %s, is written in place [HOST-38]',
  async (code) => {
    await using folder = await temporaryDirectory();
    const at = (name: string) => join(folder.path, name);
    await writeFile(at('mounted'), 'original');
    const renameElsewhere = async (from: string, to: string) => {
      if (to === at('mounted')) throw Object.assign(new Error(`${code}: in the way, rename`), { code });
      await rename(from, to);
    };
    const calls = { access, rename: renameElsewhere };
    const { ino } = await stat(at('mounted'));
    const write = { kind: 'write', path: at('mounted'), text: 'new' } as const;
    const failed = applyEdits([write, { kind: 'delete', path: at('missing') }], calls);
    await expect(failed).rejects.toMatchObject({ code: 'delete-failed' });
    expect(await snapshot(folder.path)).toEqual({ mounted: 'original' });
    await applyEdits([write, { kind: 'write', path: at('next'), text: 'next' }], calls);
    expect(await snapshot(folder.path)).toEqual({ mounted: 'new', next: 'next' });
    expect((await stat(at('mounted'))).ino).toBe(ino);
  },
);

test('a write in place that ends midway leaves the original content [HOST-38]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('one'), 'original');
  await link(at('one'), at('other'));
  const source = `const text = 'x'.repeat(100_000);
    const applied = host.createPatchFiles().apply([{ kind: 'write', path: ${JSON.stringify(at('one'))}, text }]);
    console.log(JSON.stringify(await applied.catch((error) => error.message)));`;
  const ran = await runInProgram(folder.path, source, { fileSizeLimitKibibytes: 8 });
  expect(ran.result).toBe(`could not write ${at('one')}: EFBIG: file too large`);
  expect(await readFile(at('other'), 'utf8')).toBe('original');
});

/** Root passes every check of access, so programs of the tests that run as root become somebody else. */
const STRANGER = 65_534;

async function strangersFolder() {
  const folder = await temporaryDirectory();
  const uid = process.getuid?.() === 0 ? STRANGER : (process.getuid?.() ?? 0);
  await chown(folder.path, uid, uid);
  const at = (name: string) => join(folder.path, name);
  const contents = async () =>
    Object.fromEntries(Object.entries(await snapshot(folder.path)).filter(([name]) => !name.endsWith('.mjs')));
  return { ...folder, uid, at, contents };
}

/** Writes the files and prints `applied` or the error. */
function asStranger(names: readonly string[], directory: string, text = 'new'): string {
  const edits = names.map((name) => ({ kind: 'write', path: join(directory, name), text }));
  return `if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(${STRANGER});
      process.setuid(${STRANGER});
    }
    const applied = host.createPatchFiles().apply(${JSON.stringify(edits)});
    const result = await applied.then(() => 'applied', ({ code, path, message }) => ({ code, path, message }));
    console.log(JSON.stringify(result));`;
}

async function snapshot(directory: string): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const name of (await readdir(directory, { recursive: true })).sort()) {
    const path = join(directory, name);
    if ((await stat(path)).isFile()) contents[name] = await readFile(path, 'utf8');
  }
  return contents;
}
