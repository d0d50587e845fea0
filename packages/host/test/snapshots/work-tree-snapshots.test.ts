import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createWorkTreeSnapshots, SnapshotError, type WorkTreeSnapshotsOptions } from '@quire/host';
import { expect, test } from 'vitest';
import { commitAll, filesOf, git, gitStateOf, initRepository, put } from '../support/git-repository.ts';
import { eventually } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const signal = new AbortController().signal;

async function startPlace(options: Partial<WorkTreeSnapshotsOptions> = {}) {
  const folder = await temporaryDirectory();
  const root = join(folder.path, 'repo');
  const home = join(folder.path, 'home');
  initRepository(root);
  const snapshots = createWorkTreeSnapshots({ home, ...options });
  const take = async (cwd = root) => {
    const { ref, note } = await snapshots.take({ cwd, signal });
    if (ref === undefined) throw new Error(`no snapshot: ${note}`);
    return { ref, note };
  };
  const restore = async (ref: { id: string }, cwd = root) => {
    const { changed } = await snapshots.restore(ref, { cwd, signal });
    return changed.map((path) => path.slice(root.length + 1));
  };
  /** What each changed, or the code of what it failed with. */
  const restoreEach = async (refs: readonly { id: string }[]) => {
    const outcomes: unknown[] = [];
    for (const ref of refs) outcomes.push(await restore(ref).catch((error: unknown) => (error as SnapshotError).code));
    return outcomes;
  };
  return {
    root,
    home,
    snapshots,
    take,
    restore,
    restoreEach,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('files come back as they were: tracked, untracked, deleted, modes and links [HOST-100] [HOST-101]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, '.gitignore', 'build/\n*.log\n');
  put(root, 'src/a.ts', 'one\n');
  put(root, 'src/gone.ts', 'gone\n');
  put(root, 'run.sh', '#!/bin/sh\n', /* mode */ 0o755);
  put(root, 'forced.log', 'tracked though ignored\n');
  symlinkSync('src/a.ts', join(root, 'link'));
  git(root, 'add', '-f', 'forced.log');
  commitAll(root, 'first');
  put(root, 'notes.txt', 'untracked\n');
  put(root, 'secret.key', 'private\n', /* mode */ 0o600);
  put(root, 'shared.key', 'private\n', /* mode */ 0o600);
  put(root, 'unchanged.txt', 'stays\n');
  put(root, 'build/out.bin', 'ignored 1\n');
  put(root, 'a\nb "c" \\ d\t*', 'odd\n');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), 'not UTF-8\n');
  const before = filesOf(root);
  const { ref, note } = await place.take(join(root, 'src'));
  expect(note).toBeUndefined();

  put(root, 'src/a.ts', 'two\n');
  rmSync(join(root, 'src/gone.ts'));
  chmodSync(join(root, 'run.sh'), 0o644);
  put(root, 'forced.log', 'changed\n');
  unlinkSync(join(root, 'link'));
  symlinkSync('elsewhere', join(root, 'link'));
  put(root, 'notes.txt', 'overwritten\n');
  rmSync(join(root, 'secret.key'));
  chmodSync(join(root, 'shared.key'), 0o644);
  chmodSync(join(root, 'unchanged.txt'), 0o600);
  put(root, 'made/since/new.ts', 'new\n');
  rmSync(join(root, 'a\nb "c" \\ d\t*'));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), 'changed\n');
  put(root, 'build/out.bin', 'ignored 2\n');
  put(root, 'build/more.bin', 'ignored 3\n');

  const changed = await place.restore(ref);
  expect(filesOf(root)).toEqual({
    ...before,
    'build/out.bin': 'file 644 ignored 2\n',
    'build/more.bin': 'file 644 ignored 3\n',
  });
  expect(changed).toEqual(
    [
      'a\nb "c" \\ d\t*',
      'forced.log',
      'link',
      'made/since/new.ts',
      'notes.txt',
      'run.sh',
      'secret.key',
      'shared.key',
      'src/a.ts',
      'src/gone.ts',
      'unchanged.txt',
      '\ufffd\ufffd',
    ].toSorted(),
  );
  expect(existsSync(join(root, 'made'))).toBe(false);
  expect(await place.restore(ref)).toEqual([]);
});

test('nothing in the repository is written, not even a time [HOST-102]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'a', '1\n');
  commitAll(root, 'first');
  put(root, 'a', 'stashed\n');
  git(root, 'stash');
  put(root, 'a', '2\n');
  git(root, 'add', 'a');
  put(root, 'a', '3\n');
  put(root, 'b', 'untracked\n');
  const before = gitStateOf(root);
  const { ref } = await place.take();
  put(root, 'a', '4\n');
  rmSync(join(root, 'b'));
  await place.take();
  expect(await place.restore(ref)).toEqual(['a', 'b']);
  await place.snapshots.prune({ signal });
  expect(gitStateOf(root)).toEqual(before);
});

test('no program that the project or its configuration names is run, and bytes stay as they are [HOST-103]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  const trap = join(root, '..', 'trap');
  const program = join(root, '..', 'program.sh');
  writeFileSync(program, `#!/bin/sh\necho "$0" "$@" >> ${trap}\ncat\n`, { mode: 0o755 });
  for (const name of ['clean', 'smudge', 'process']) git(root, 'config', `filter.evil.${name}`, program);
  git(root, 'config', 'filter.evil.required', 'true');
  git(root, 'config', 'core.fsmonitor', program);
  git(root, 'config', 'core.autocrlf', 'true');
  git(root, 'config', 'diff.evil.textconv', program);
  git(root, 'config', 'diff.external', program);
  mkdirSync(join(root, '.git/hooks'), { recursive: true });
  for (const hook of ['post-index-change', 'post-checkout', 'reference-transaction']) {
    writeFileSync(join(root, '.git/hooks', hook), `#!/bin/sh\necho ${hook} >> ${trap}\n`, { mode: 0o755 });
  }
  put(root, '.gitattributes', '* filter=evil diff=evil text eol=crlf ident working-tree-encoding=UTF-16\n');
  put(root, 'mixed.txt', 'one\r\ntwo\n$Id$\n$Id: 1234 $\n\0');
  const before = filesOf(root);
  const { ref } = await place.take();
  put(root, 'mixed.txt', 'other\r\n');
  expect(await place.restore(ref)).toEqual(['mixed.txt']);
  expect(filesOf(root)).toEqual(before);
  await place.snapshots.prune({ signal });
  expect([existsSync(trap), existsSync(home)]).toEqual([false, true]);
});

test('a snapshot needs no object of the repository [HOST-104]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'a', 'committed\n');
  commitAll(root, 'first');
  const { ref } = await place.take();
  rmSync(join(root, '.git'), { recursive: true });
  git(root, 'init', '-q');
  rmSync(join(root, 'a'));
  git(root, 'gc', '-q', '--prune=now');
  expect(await place.restore(ref)).toEqual(['a']);
  expect(filesOf(root)).toEqual({ a: 'file 644 committed\n' });
});

test('files are restored after a commit, a rebase and a change of branch in between [HOST-105]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'a', '1\n');
  commitAll(root, 'first');
  git(root, 'checkout', '-q', '-b', 'side');
  put(root, 'side', 's\n');
  commitAll(root, 'side');
  put(root, 'b', 'untracked\n');
  const before = filesOf(root);
  const { ref } = await place.take();
  put(root, 'a', '2\n');
  const committed = commitAll(root, 'second');
  git(root, 'checkout', '-q', 'main');
  put(root, 'c', '3\n');
  commitAll(root, 'third');
  git(root, 'checkout', '-q', 'side');
  git(root, 'rebase', '-q', 'main');
  git(root, 'checkout', '-q', 'main');
  const head = git(root, 'rev-parse', 'HEAD', 'side');
  expect(await place.restore(ref)).toEqual(['b', 'c', 'side']);
  expect(filesOf(root)).toEqual(before);
  expect(git(root, 'rev-parse', 'HEAD', 'side')).toBe(head);
  expect(git(root, 'cat-file', '-t', committed).trim()).toBe('commit');
});

test('what was ignored when the snapshot was taken is never removed, whatever the ignore lists say now [HOST-106]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, '.gitignore', 'secret.env\ncache/\n');
  put(root, 'secret.env', 'TOKEN\n');
  put(root, 'cache/x', 'x\n');
  appendFileSync(join(root, '.git/info/exclude'), 'private\n');
  put(root, 'private', 'p\n');
  const { ref } = await place.take();
  rmSync(join(root, '.gitignore'));
  writeFileSync(join(root, '.git/info/exclude'), '');
  put(root, 'cache/y', 'y\n');
  expect(await place.restore(ref)).toEqual(['.gitignore']);
  expect(Object.keys(filesOf(root)).toSorted()).toEqual(['.gitignore', 'cache/x', 'cache/y', 'private', 'secret.env']);
});

test('a file that became ignored leaves the snapshots [HOST-106]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'x.log', '1\n');
  await place.take();
  put(root, '.gitignore', '*.log\n');
  const { ref } = await place.take();
  put(root, 'x.log', '2\n');
  expect(await place.restore(ref)).toEqual([]);
  expect(filesOf(root)['x.log']).toBe('file 644 2\n');
});

test('large untracked files, repositories inside and unreadable ones are left alone, with a note [HOST-107]', async () => {
  await using place = await startPlace({ maxFileBytes: 100, maxTotalBytes: 250 });
  const { root } = place;
  put(root, 'tracked.bin', 'x'.repeat(200));
  commitAll(root, 'first');
  put(root, 'large.bin', 'x'.repeat(101));
  for (const name of ['p', 'q', 'r']) put(root, name, name.repeat(90));
  initRepository(join(root, 'nested'));
  put(root, 'nested/file', 'n\n');
  const { ref, note } = await place.take();
  expect(note).toBe('not covered by undo: r, large.bin (too large); nested/ (a repository of its own)');
  put(root, 'tracked.bin', 'y');
  put(root, 'large.bin', 'z'.repeat(101));
  put(root, 'nested/file', 'changed\n');
  put(root, 'r', 'small');
  expect(await place.restore(ref)).toEqual(['tracked.bin']);
  expect(filesOf(root)['tracked.bin']).toBe(`file 644 ${'x'.repeat(200)}`);
  expect(filesOf(root)['r']).toBe('file 644 small');
});

test('contents that are in no snapshot are never written over: the restore is refused with their names [HOST-129]', async () => {
  await using place = await startPlace({ maxFileBytes: 100 });
  const { root } = place;
  put(root, 'a', '1\n');
  put(root, 'grown', 'small');
  put(root, 'dist/out', 'kept\n');
  put(root, 'dist/gone', 'gone\n');
  put(root, 'dist/same', 'same\n');
  put(root, 'dist/run', 'run\n');
  const { ref } = await place.take();
  put(root, 'a', '2\n');
  put(root, '.gitignore', 'dist/\n');
  put(root, 'grown', 'x'.repeat(101));
  put(root, 'dist/out', 'made since\n');
  rmSync(join(root, 'dist/gone'));
  chmodSync(join(root, 'dist/run'), 0o755);
  const before = filesOf(root);
  expect(await place.restore(ref).catch((error: unknown) => error)).toMatchObject({
    code: 'unkept-files',
    message: `nothing was restored in ${root}: the present contents of dist/out, grown are in no snapshot and would be lost; move them away and try again`,
  });
  expect(filesOf(root)).toEqual(before);
  renameSync(join(root, 'dist/out'), join(root, '..', 'out'));
  rmSync(join(root, 'grown'));
  expect(await place.restore(ref)).toEqual(['.gitignore', 'a', 'dist/gone', 'dist/out', 'dist/run', 'grown']);
  expect(filesOf(root)).toEqual({
    a: 'file 644 1\n',
    grown: 'file 644 small',
    'dist/out': 'file 644 kept\n',
    'dist/gone': 'file 644 gone\n',
    'dist/same': 'file 644 same\n',
    'dist/run': 'file 644 run\n',
  });
});

test('what killed restores left is removed after an hour, but for originals, which are named [HOST-131]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'a', '1\n');
  put(root, '.quire-restore-aaaaaa/new/f', 'in a snapshot\n');
  mkdirSync(join(root, '.quire-restore-aaaaaa/old/d'), { recursive: true });
  mkdirSync(join(root, '.quire-restore-bbbbbb'));
  put(root, '.quire-restore-cccccc/old/d/f', 'original\n');
  put(root, '.quire-restore-dddddd/notes', 'of the user\n');
  put(root, '.quire-restore-by-hand/f', 'of the user\n');
  mkdirSync(join(root, '.quire-restore-eeeeee/new'), { recursive: true });
  const old = new Date(Date.now() - 61 * 60_000);
  for (const name of ['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd', 'by-hand']) {
    utimesSync(join(root, `.quire-restore-${name}`), old, old);
  }
  const kept = ['cccccc', 'dddddd'].map((name) => join(root, `.quire-restore-${name}`)).join(', ');
  const { note } = await place.take();
  expect(note).toBe(`an interrupted undo left files in ${kept}: move back what is missing and remove the folder`);
  expect(readdirSync(root).filter((name) => name.startsWith('.quire'))).toEqual([
    '.quire-restore-by-hand',
    '.quire-restore-cccccc',
    '.quire-restore-dddddd',
    '.quire-restore-eeeeee',
  ]);
});

test('a file that took the place of a directory gives way again, and the other way round [HOST-101]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'directory/file', '1\n');
  put(root, 'file', '2\n');
  put(root, 'linked/file', '3\n');
  const before = filesOf(root);
  const { ref } = await place.take();
  rmSync(join(root, 'directory'), { recursive: true });
  put(root, 'directory', 'now a file\n');
  rmSync(join(root, 'file'));
  put(root, 'file/inside', 'now a directory\n');
  renameSync(join(root, 'linked'), join(root, '..', 'outside'));
  symlinkSync('../outside', join(root, 'linked'));
  const middle = await place.take();
  await place.restore(ref);
  expect(filesOf(root)).toEqual(before);
  expect(filesOf(join(root, '..', 'outside'))).toEqual({ file: 'file 644 3\n' });
  await place.restore(middle.ref);
  expect(filesOf(root)['file/inside']).toBe('file 644 now a directory\n');
});

test('when one file can not be put back all are as before, and nothing is left behind [HOST-108]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'a', '1\n');
  put(root, 'b', '1\n');
  put(root, 'z', '1\n', /* mode */ 0o600);
  const { ref } = await place.take();
  put(root, '.gitignore', 'kept\n');
  put(root, 'a', '2\n');
  put(root, 'since/new', 'n\n');
  rmSync(join(root, 'z'));
  put(root, 'z/kept', 'ignored, in the way\n');
  const before = filesOf(root);
  const failure = await place.restore(ref).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SnapshotError);
  expect(failure).toMatchObject({
    code: 'restore-failed',
    message: `nothing was restored: ${join(root, 'z')} could not be put back (ENOTEMPTY: directory not empty)`,
  });
  expect(filesOf(root)).toEqual(before);
});

test('a path that leads out of the work tree through a link is not followed [HOST-108]', async () => {
  await using place = await startPlace();
  const { root } = place;
  const outside = join(root, '..', 'outside');
  mkdirSync(outside);
  put(root, 'd/file', '1\n');
  const { ref } = await place.take();
  rmSync(join(root, 'd'), { recursive: true });
  symlinkSync(outside, join(root, 'd'));
  appendFileSync(join(root, '.git/info/exclude'), 'd\n');
  await expect(place.restore(ref)).rejects.toMatchObject({ code: 'restore-failed' });
  expect(readdirSync(outside)).toEqual([]);
});

test('a snapshot that is gone, of another place or no snapshot at all is refused in one line [HOST-109]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  put(root, 'a', '1\n');
  const { ref } = await place.take();
  const other = join(root, '..', 'other');
  initRepository(other);
  const codes: unknown[] = [];
  const attempt = (id: string, cwd: string) =>
    place.snapshots.restore({ id }, { cwd, signal }).catch((error: unknown) => {
      if (!(error instanceof SnapshotError)) throw error;
      codes.push(error.code);
      expect(error.message).not.toContain('\n');
    });
  await attempt('../../etc', root);
  await attempt(ref.id, other);
  await attempt(ref.id, join(root, '..'));
  rmSync(join(home, 'snapshots'), { recursive: true });
  await attempt(ref.id, root);
  expect(codes).toEqual(['not-found', 'wrong-place', 'unavailable', 'not-found']);
  expect(filesOf(root)).toEqual({ a: 'file 644 1\n' });
});

test('without a work tree there is no snapshot, and the note says why [HOST-110]', async () => {
  await using place = await startPlace();
  const outside = join(place.root, '..');
  expect(await place.snapshots.take({ cwd: outside, signal })).toEqual({
    ref: undefined,
    note: 'there is no git work tree',
  });
  expect(await place.snapshots.take({ cwd: join(place.root, '.git'), signal })).toEqual({
    ref: undefined,
    note: `${join(place.root, '.git')} is not in the work tree of a git repository`,
  });
  expect(existsSync(place.home)).toBe(false);
});

test('our own folder inside of the work tree is no part of a snapshot [HOST-111]', async () => {
  await using place = await startPlace();
  const home = join(place.root, 'own [folder]');
  const snapshots = createWorkTreeSnapshots({ home });
  put(place.root, 'a', '1\n');
  put(home, 'thread.jsonl', 'line\n');
  const { ref } = await snapshots.take({ cwd: place.root, signal });
  put(home, 'thread.jsonl', 'line\nline\n');
  put(place.root, 'a', '2\n');
  expect(await snapshots.restore(ref ?? { id: '' }, { cwd: place.root, signal })).toEqual({
    changed: [join(place.root, 'a')],
  });
});

test('a snapshot that takes too long is given up, with its processes and files [HOST-112]', async () => {
  await using place = await startPlace({ timeoutMs: 1 });
  put(place.root, 'a', 'x'.repeat(20_000_000));
  const result = await place.snapshots.take({ cwd: place.root, signal });
  expect(result).toEqual({ ref: undefined, note: 'no undo: the files could not be kept within 0.001 s' });
  const patient = createWorkTreeSnapshots({ home: place.home });
  await patient.take({ cwd: place.root, signal });
  const store = join(place.home, 'snapshots', readdirSync(join(place.home, 'snapshots'))[0] ?? '');
  expect(readdirSync(join(store, 'tmp'))).toEqual([]);
});

test('an abort in the middle kills git, leaves nothing and rejects with its reason [HOST-112]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  await place.take();
  const store = join(home, 'snapshots', readdirSync(join(home, 'snapshots'))[0] ?? '');
  const contentBefore = readdirSync(join(store, 'objects')).toSorted();
  for (let index = 0; index < 20; index += 1) put(root, `f${index}`, `content ${index}\n`);
  using slow = gitThatStaysIn('update-index', join(home, 'slow'));
  const controller = new AbortController();
  const taking = place.snapshots.take({ cwd: root, signal: controller.signal });
  const outcome = taking.catch((error: unknown) => error);
  expect(await eventually(() => slow.processId() !== undefined, { withinMs: 30_000 })).toBe(true);
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  expect(existsSync(`/proc/${slow.processId()}`)).toBe(false);
  expect(readdirSync(join(store, 'tmp'))).toEqual([]);
  expect(readdirSync(join(store, 'objects')).toSorted()).toEqual(contentBefore);
});

/** From now on, `git COMMAND` does its work, or nothing, then it, or a child of it, stays until it is killed. */
function gitThatStaysIn(command: string, folder: string, { inChild = false, doesNothing = false } = {}) {
  const note = join(folder, 'pid');
  const stay = `echo $$ >'${note}.new'; mv '${note}.new' '${note}'; exec sleep 600`;
  const ending = inChild ? `sh -c "${stay.replace('$$', '\\$\\$')}" & wait` : stay;
  const git = gitThatDoes((real) => `${doesNothing ? ':' : `'${real}' "$@"`}; ${ending}`, { command, folder });
  const processId = (): number | undefined => (existsSync(note) ? Number(readFileSync(note, 'utf8')) : undefined);
  return {
    processId,
    [Symbol.dispose]: () => {
      git[Symbol.dispose]();
      const left = processId();
      if (left !== undefined) killIfThere(left);
    },
  };
}

test('a store whose owner was killed, or whose index is damaged, goes on [HOST-113]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  put(root, 'a', '1\n');
  const { ref } = await place.take();
  const store = join(home, 'snapshots', readdirSync(join(home, 'snapshots'))[0] ?? '');
  put(join(store, 'tmp'), '0123456789abcdef/index.lock', 'left by a killed process');
  writeFileSync(join(store, 'index'), 'damaged');
  put(root, 'a', '2\n');
  await place.take();
  expect(await place.restore(ref)).toEqual(['a']);
  put(root, 'key', 'private\n', /* mode */ 0o600);
  await place.take();
  rmSync(join(store, 'modes'));
  const { ref: later } = await place.take();
  rmSync(join(root, 'key'));
  expect(await place.restore(later)).toEqual(['key']);
  expect(filesOf(root)).toEqual({ a: 'file 644 1\n', key: 'file 600 private\n' });
});

test('snapshots at the same time, of several instances, are all whole [HOST-114]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  for (let index = 0; index < 150; index += 1) put(root, `d${index % 7}/f${index}`, `${index}\n`);
  const all = filesOf(root);
  const takers = Array.from({ length: 4 }, () => createWorkTreeSnapshots({ home }).take({ cwd: root, signal }));
  for (const { ref } of await Promise.all(takers)) {
    rmSync(join(root, 'd1'), { recursive: true });
    put(root, 'd2/f2', 'changed\n');
    expect(await place.restore(ref ?? { id: '' })).toHaveLength(23);
    expect(filesOf(root)).toEqual(all);
  }
});

test('a change within the same second, of the same size, is seen [HOST-115]', async () => {
  await using place = await startPlace();
  const { root } = place;
  for (let round = 0; round < 8; round += 1) {
    put(root, 'a', `${round}\n`);
    const { ref } = await place.take();
    put(root, 'a', 'x\n');
    expect(await place.restore(ref)).toEqual(['a']);
    expect(filesOf(root)).toEqual({ a: `file 644 ${round}\n` });
  }
});

test('old snapshots are removed and the rest stays whole [HOST-116]', async () => {
  await using place = await startPlace({ keepCount: 2 });
  const { root } = place;
  const refs: { id: string }[] = [];
  for (let index = 0; index < 4; index += 1) {
    put(root, 'a', `${index}\n`);
    refs.push((await place.take()).ref);
  }
  await place.snapshots.prune({ signal });
  expect(await place.restoreEach(refs)).toEqual(['not-found', 'not-found', ['a'], ['a']]);
});

test.each([
  ['room for two', 250_000, ['not-found', 'not-found', ['a'], ['a']]],
  ['room for all', 5_000_000, [['a'], ['a'], ['a'], ['a']]],
  ['no room', 1, ['not-found', 'not-found', 'not-found', ['a']]],
])('the oldest snapshots give way to the newest when they take too much: %s [HOST-119]', async (_, bytes, expected) => {
  await using place = await startPlace({ maxStoreBytes: bytes });
  const { root } = place;
  const refs: { id: string }[] = [];
  for (let index = 0; index < 4; index += 1) {
    put(root, 'a', randomBytes(100_000).toString('hex'));
    refs.push((await place.take()).ref);
  }
  put(root, 'a', 'last\n');
  await place.snapshots.prune({ signal });
  expect(await place.restoreEach(refs)).toEqual(expected);
});

test('a removal that is stopped leaves no process, and is made again an hour later [HOST-133]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  put(root, 'a', '1\n');
  await place.take();
  const store = join(home, 'snapshots', readdirSync(join(home, 'snapshots'))[0] ?? '');
  const [left, fresh] = ['.tmp-1-pack-left', '.tmp-2-pack-fresh'].map((name) => join(store, 'objects/pack', name));
  if (left === undefined || fresh === undefined) throw new Error('no names');
  for (const path of [left, fresh]) writeFileSync(path, '');
  makeOlder(left, /* seconds */ 3_601);
  using slow = gitThatStaysIn('repack', join(home, 'slow'), { inChild: true });
  const controller = new AbortController();
  const outcome = place.snapshots.prune({ signal: controller.signal }).catch((error: unknown) => error);
  expect(await eventually(() => slow.processId() !== undefined, { withinMs: 30_000 })).toBe(true);
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  const isGone = (): boolean => !existsSync(`/proc/${slow.processId()}`);
  expect(await eventually(isGone, { withinMs: 10_000 })).toBe(true);
  expect([existsSync(left), existsSync(fresh)]).toEqual([false, true]);
  slow[Symbol.dispose]();

  put(root, 'a', '2\n');
  await place.take();
  const loose = (): string[] => readdirSync(join(store, 'objects')).filter((name) => name.length === 2);
  await place.snapshots.prune({ signal });
  expect(loose()).not.toEqual([]);
  makeOlder(join(store, 'pruned'), /* seconds */ 3_601);
  await place.snapshots.prune({ signal });
  expect(loose()).toEqual([]);
});

test('a snapshot is whole while empty folders of its store are removed [HOST-114]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  put(root, 'a', 'first\n');
  await place.take();
  const objects = join(home, 'snapshots', readdirSync(join(home, 'snapshots'))[0] ?? '', 'objects');
  // As git does with folders that it has emptied.
  const script = 'while [ -d "$1" ]; do rmdir "$1"/?? 2>/dev/null; done';
  const remover = spawn('sh', ['-c', script, 'sh', objects], { stdio: 'ignore' });
  try {
    for (let index = 0; index < 5; index += 1) {
      for (let file = 0; file < 20; file += 1) put(root, `${file}`, `${index} ${file}\n`);
      const { ref } = await place.take();
      put(root, '0', 'changed\n');
      expect(await place.restore(ref)).toEqual(['0']);
    }
  } finally {
    remover.kill('SIGKILL');
  }
});

test('what only old snapshots needed is gone from the disk, also when the removal was stopped before [HOST-119] [HOST-133]', async () => {
  await using place = await startPlace();
  const { root, home } = place;
  for (let index = 0; index < 4; index += 1) {
    put(root, 'a', randomBytes(500_000).toString('hex'));
    await place.take();
  }
  await place.snapshots.prune({ signal });
  const store = join(home, 'snapshots', readdirSync(join(home, 'snapshots'))[0] ?? '');
  const size = (): number => filesBelow(join(store, 'objects')).reduce((sum, path) => sum + statSync(path).size, 0);
  const age = (): void => {
    for (const path of [...filesBelow(join(store, 'objects')), join(store, 'pruned')]) makeOlder(path, 3 * 3_600);
  };
  const small = createWorkTreeSnapshots({ home, maxStoreBytes: 1_200_000 });
  expect(size()).toBeGreaterThan(2_000_000);

  age();
  makeOlder(join(store, 'pruned'), 24 * 3_600);
  const slow = gitThatStaysIn('-A', join(home, 'slow'), { doesNothing: true });
  const controller = new AbortController();
  const outcome = small.prune({ signal: controller.signal }).catch((error: unknown) => error);
  expect(await eventually(() => slow.processId() !== undefined, { withinMs: 30_000 })).toBe(true);
  controller.abort(new Error('enough'));
  expect(await outcome).toEqual(new Error('enough'));
  slow[Symbol.dispose]();
  expect(size()).toBeGreaterThan(2_000_000);

  age();
  await small.prune({ signal });
  expect(size()).toBeLessThan(1_200_000);
  const { ref } = await place.take();
  put(root, 'a', 'last\n');
  expect(await place.restore(ref)).toEqual(['a']);
});

test('snapshots of which the size can not be asked go by age and number [HOST-116]', async () => {
  await using place = await startPlace({ keepCount: 2, maxStoreBytes: 1 });
  const { root, home } = place;
  const refs: { id: string }[] = [];
  for (let index = 0; index < 4; index += 1) {
    put(root, 'a', `${index}\n`);
    refs.push((await place.take()).ref);
  }
  using broken = gitThatFailsIn('rev-list', join(home, 'broken'));
  await place.snapshots.prune({ signal });
  broken[Symbol.dispose]();
  expect(await place.restoreEach(refs)).toEqual(['not-found', 'not-found', ['a'], ['a']]);
});

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return; // it was killed already
  }
}

/** From now on, `git COMMAND` fails. */
function gitThatFailsIn(command: string, folder: string): Disposable {
  return gitThatDoes(() => 'exit 129', { command, folder });
}

/** From now on, `git COMMAND` does something else. @param action its script, from the path of the real git */
function gitThatDoes(
  action: (real: string) => string,
  { command, folder }: { readonly command: string; readonly folder: string },
): Disposable {
  const path = process.env['PATH'] ?? '';
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  const script = `case "$*" in *${command}*) ${action(real)};; esac`;
  put(folder, 'git', `#!/bin/sh\n${script}\nexec '${real}' "$@"\n`, /* mode */ 0o755);
  process.env['PATH'] = `${folder}:${path}`;
  return {
    [Symbol.dispose]: () => {
      process.env['PATH'] = path;
    },
  };
}

function makeOlder(path: string, seconds: number): void {
  const time = statSync(path).mtimeMs / 1_000 - seconds;
  utimesSync(path, time, time);
}

test('a sparse checkout, a linked worktree and an unborn repository have snapshots, too [HOST-117]', async () => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'in/a', '1\n');
  put(root, 'out/b', '2\n');
  const unborn = await place.take();
  rmSync(join(root, 'in/a'));
  expect(await place.restore(unborn.ref)).toEqual(['in/a']);
  commitAll(root, 'first');
  git(root, 'sparse-checkout', 'set', 'in');
  const sparse = await place.take();
  put(root, 'in/a', 'changed\n');
  expect(await place.restore(sparse.ref)).toEqual(['in/a']);
  expect(existsSync(join(root, 'out/b'))).toBe(false);
  const tree = join(root, '..', 'tree');
  git(root, 'worktree', 'add', '-q', '-b', 'other', tree);
  const linked = await place.take(tree);
  put(tree, 'in/a', 'changed\n');
  await place.snapshots.restore(linked.ref, { cwd: tree, signal });
  expect(filesOf(tree)['in/a']).toBe('file 644 1\n');
});

/** Root writes where nobody may; the immutable flag holds it back on file systems that have one. */
function makeImmutable(path: string): boolean {
  try {
    execFileSync('/usr/bin/chattr', ['+i', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a work tree that can not be written has snapshots, and a restore that fails in one line [HOST-118]', async ({
  skip,
}) => {
  await using place = await startPlace();
  const { root } = place;
  put(root, 'a', '1\n');
  const { ref } = await place.take();
  put(root, 'a', '2\n');
  chmodSync(root, 0o555);
  const isRoot = process.getuid?.() === 0;
  const isHeld = !isRoot || makeImmutable(root);
  try {
    if (!isHeld) skip();
    await place.take();
    const failure = await place.restore(ref).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'restore-failed' });
    expect((failure as Error).message).toMatch(/^nothing was restored in .*: E(ACCES|PERM): /);
  } finally {
    if (isRoot && isHeld) execFileSync('/usr/bin/chattr', ['-i', root]);
    chmodSync(root, 0o755);
  }
  expect(filesOf(root)).toEqual({ a: 'file 644 2\n' });
});
