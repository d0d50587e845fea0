import { describe, expect, test } from 'vitest';
import { parsePatch, planPatch } from '../../src/patch/index.ts';
import { type Files, patchOf, plan } from './memory-files.ts';

const files: Files = { f: 'a\nb\n', g: 'old\n', 'd/x': '1\n' };

test('a plan holds edits, changes, texts, paths and the report, and nothing is written [PATCH-21]', async () => {
  const patch = patchOf(
    '*** Delete File: g',
    '*** Add File: ./sub/../new.txt',
    '+n',
    '*** Update File: f',
    '*** Move to: d/moved',
    '@@',
    '-a',
    '+A',
    '+C',
  );
  const diff = '@@ -1,2 +1,3 @@\n-a\n+A\n+C\n b\n';
  expect(await plan(patch, files)).toEqual({
    edits: [
      { kind: 'write', path: '/w/new.txt', text: 'n\n' },
      { kind: 'write', path: '/w/d/moved', text: 'A\nC\nb\n' },
      { kind: 'delete', path: '/w/g' },
      { kind: 'delete', path: '/w/f' },
    ],
    changes: [
      { path: '/w/g', kind: 'delete', addedLines: 0, removedLines: 1, diff: '@@ -1 +0,0 @@\n-old\n' },
      { path: '/w/new.txt', kind: 'add', addedLines: 1, removedLines: 0, diff: '@@ -0,0 +1 @@\n+n\n' },
      { path: '/w/d/moved', kind: 'update', movedFrom: '/w/f', addedLines: 2, removedLines: 1, diff },
    ],
    files: [
      { path: '/w/g', before: 'old\n', after: undefined },
      { path: '/w/new.txt', before: undefined, after: 'n\n' },
      { path: '/w/f', before: 'a\nb\n', after: undefined },
      { path: '/w/d/moved', before: undefined, after: 'A\nC\nb\n', movedFrom: '/w/f' },
    ],
    touchedPaths: ['/w/g', '/w/new.txt', '/w/f', '/w/d/moved'],
    successText: 'Success. Updated the following files:\nA ./sub/../new.txt\nM d/moved\nD g\n',
  });
});

describe('several sections on one file add up [PATCH-22]', () => {
  test('two updates are one change', async () => {
    const patch = patchOf('*** Update File: f', '-a', '+A', '*** Update File: f', '-A', '+Z');
    const result = await plan(patch, files);
    expect(result.edits).toEqual([{ kind: 'write', path: '/w/f', text: 'Z\nb\n' }]);
    expect(result.changes.map(({ kind, addedLines }) => ({ kind, addedLines }))).toEqual([
      { kind: 'update', addedLines: 1 },
    ]);
    expect(result.successText).toBe('Success. Updated the following files:\nM f\nM f\n');
  });

  test('a file that comes and goes leaves no trace', async () => {
    const result = await plan(patchOf('*** Add File: t', '+1', '*** Delete File: t'), files);
    expect({ edits: result.edits, changes: result.changes, files: result.files }).toEqual({
      edits: [],
      changes: [],
      files: [],
    });
  });

  test('a file that moves away and is written anew is a move and an addition', async () => {
    const patch = patchOf('*** Update File: f', '*** Move to: h', '-a', '+A', '*** Add File: f', '+n');
    const result = await plan(patch, files);
    expect(result.edits).toEqual([
      { kind: 'write', path: '/w/f', text: 'n\n' },
      { kind: 'write', path: '/w/h', text: 'A\nb\n' },
    ]);
    expect(result.changes.map(({ path, kind, movedFrom }) => ({ path, kind, movedFrom }))).toEqual([
      { path: '/w/f', kind: 'add', movedFrom: undefined },
      { path: '/w/h', kind: 'update', movedFrom: '/w/f' },
    ]);
  });

  test('an update of a file that an earlier section deleted is refused', async () => {
    const patch = patchOf('*** Delete File: f', '*** Update File: f', '-a');
    await expect(plan(patch, files)).rejects.toMatchObject({
      code: 'file-unusable',
      message: 'Failed to read file to update /w/f: an earlier section of this patch removes it',
    });
  });
});

test('a file that is moved onto itself stays [PATCH-23]', async () => {
  const result = await plan(patchOf('*** Update File: f', '*** Move to: ./f', '-a', '+A'), files);
  expect(result.edits).toEqual([{ kind: 'write', path: '/w/f', text: 'A\nb\n' }]);
  expect(result.touchedPaths).toEqual(['/w/f']);
});

test('a move over an existing file replaces it [PATCH-24]', async () => {
  const result = await plan(patchOf('*** Update File: f', '*** Move to: g', ' a'), files);
  expect(result.edits).toEqual([
    { kind: 'write', path: '/w/g', text: 'a\nb\n' },
    { kind: 'delete', path: '/w/f' },
  ]);
  expect(result.changes).toEqual([
    { path: '/w/g', kind: 'update', movedFrom: '/w/f', addedLines: 0, removedLines: 0, diff: '' },
  ]);
  expect(result.touchedPaths).toEqual(['/w/f', '/w/g']);
});

test('a file that makes room for a folder goes first [PATCH-25]', async () => {
  const result = await plan(patchOf('*** Add File: f/inner', '+1', '*** Delete File: f'), files);
  expect(result.edits).toEqual([
    { kind: 'delete', path: '/w/f' },
    { kind: 'write', path: '/w/f/inner', text: '1\n' },
  ]);
});

test('an added file replaces what is there and its diff shows what is lost [PATCH-26]', async () => {
  const result = await plan(patchOf('*** Add File: g', '+new'), files);
  expect(result.changes).toEqual([
    { path: '/w/g', kind: 'add', addedLines: 1, removedLines: 1, diff: '@@ -1 +1 @@\n-old\n+new\n' },
  ]);
});

test('a path that leaves the working directory is resolved, not hidden [PATCH-27]', async () => {
  const patch = parsePatch(patchOf('*** Add File: ../../etc/x', '+1', '*** Add File: /abs//./y', '+2'));
  const result = await planPatch(patch, { cwd: '/w/deep', read: async () => ({ kind: 'missing' }) });
  expect(result.touchedPaths).toEqual(['/etc/x', '/abs/y']);
});

describe('files that cannot be used are named [PATCH-28]', () => {
  test.each([
    [
      'a missing file to update',
      ['*** Update File: no', '-a'],
      'Failed to read file to update /w/no: No such file or directory',
    ],
    ['a missing file to delete', ['*** Delete File: no'], 'Failed to read /w/no: No such file or directory'],
    ['a folder to update', ['*** Update File: d', '-a'], 'Failed to read file to update /w/d: it is a directory'],
    ['a folder to delete', ['*** Delete File: d'], 'Failed to read /w/d: it is a directory'],
    ['a folder to write', ['*** Add File: d', '+a'], 'Failed to write file /w/d: it is a directory'],
    [
      'a folder to move to',
      ['*** Update File: f', '*** Move to: d', '-a'],
      'Failed to write file /w/d: it is a directory',
    ],
  ])('%s', async (_name, lines, message) => {
    await expect(plan(patchOf(...lines), files)).rejects.toMatchObject({ code: 'file-unusable', message });
  });

  test('a file that is not text can be replaced, but not changed or deleted', async () => {
    const read = async () => ({ kind: 'unreadable', reason: 'not UTF-8' }) as const;
    const planned = (...lines: readonly string[]) => planPatch(parsePatch(patchOf(...lines)), { cwd: '/w', read });
    expect((await planned('*** Add File: b', '+1')).edits).toEqual([{ kind: 'write', path: '/w/b', text: '1\n' }]);
    await expect(planned('*** Delete File: b')).rejects.toThrow('Failed to read /w/b: not UTF-8');
    await expect(planned('*** Update File: b', '-a')).rejects.toThrow('Failed to read file to update /w/b: not UTF-8');
  });
});

test('a patch without sections is refused [PATCH-29]', async () => {
  await expect(plan(patchOf(), files)).rejects.toMatchObject({
    code: 'empty-patch',
    message: 'patch rejected: empty patch',
  });
});

test('a failing section leaves no plan, whatever the others say [PATCH-30]', async () => {
  await expect(plan(patchOf('*** Add File: n', '+1', '*** Update File: f', '-x'), files)).rejects.toMatchObject({
    code: 'lines-not-found',
  });
});

test('each file is read once [PATCH-31]', async () => {
  const reads: string[] = [];
  const patch = parsePatch(patchOf('*** Update File: f', '-a', '+b', '*** Update File: ./f', '-b', '+c'));
  await planPatch(patch, {
    cwd: '/w',
    read: async (path) => {
      reads.push(path);
      return { kind: 'text', text: 'a\n' };
    },
  });
  expect(reads).toEqual(['/w/f']);
});

test('a very long diff is cut at a line and says how much is missing [PATCH-32]', async () => {
  const lines = Array.from({ length: 30_000 }, (_, index) => `+line ${index}`);
  const [change] = (await plan(patchOf('*** Add File: big', ...lines), {})).changes;
  const diff = change?.diff.split('\n') ?? [];
  const shown = diff.length - 3;
  expect(change?.addedLines).toBe(30_000);
  expect(change?.diff.length).toBeLessThan(200_100);
  expect(diff.slice(-2)).toEqual([`[${30_000 - shown} more lines of this diff are not shown]`, '']);
});
