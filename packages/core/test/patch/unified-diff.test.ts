import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffHunks, unifiedDiff } from '../../src/patch/index.ts';

interface Change {
  readonly path: string;
  readonly movedFrom?: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly contextLines?: number;
}

/** The files below a fresh folder after git has applied the diffs of `changes` there. */
async function appliedByGit(changes: readonly Change[]): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'quire-diff-'));
  try {
    for (const { path, movedFrom, before } of changes) {
      if (before === undefined) continue;
      const file = join(folder, movedFrom ?? path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, before);
    }
    const input = changes.map(unifiedDiff).join('');
    const git = (...args: readonly string[]): void => {
      execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', ...args, '-'], {
        cwd: folder,
        input,
        env: { PATH: process.env['PATH'], GIT_CEILING_DIRECTORIES: tmpdir(), GIT_CONFIG_NOSYSTEM: '1' },
      });
    };
    git('--check');
    git();
    const after: Record<string, string> = {};
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      after[file.slice(folder.length + 1)] = await readFile(file, 'utf8');
    }
    return after;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Applies hunks strictly: every kept and removed line must stand where the hunk says. */
function applyHunks(before: string, hunks: string): string {
  const oldLines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const result: string[] = [];
  let position = 0;
  const rows = hunks.replace(/\n\\ No newline at end of file\n/g, '\0').match(/[^\n\0]*[\n\0]/g) ?? [];
  for (const row of rows) {
    const start = /^@@ -(\d+)(?:,(\d+))? /.exec(row);
    if (start !== null) {
      const first = Number(start[1]) - (start[2] === '0' ? 0 : 1);
      result.push(...oldLines.slice(position, first));
      position = first;
      continue;
    }
    const line = row.slice(1).replace('\0', '');
    if (row.startsWith('+')) {
      result.push(line);
      continue;
    }
    expect(oldLines[position]).toBe(line);
    position++;
    if (row.startsWith(' ')) result.push(line);
  }
  return [...result, ...oldLines.slice(position)].join('');
}

test('a changed file is written as git writes it [PATCH-33]', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n';
  const after = 'a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk';
  expect(unifiedDiff({ path: 'src/x.ts', before, after })).toBe(
    [
      'diff --git a/src/x.ts b/src/x.ts',
      '--- a/src/x.ts',
      '+++ b/src/x.ts',
      '@@ -1,5 +1,5 @@',
      ' a',
      '-b',
      '+B',
      ' c',
      ' d',
      ' e',
      '@@ -8,3 +8,4 @@',
      ' h',
      ' i',
      ' j',
      '+k',
      '\\ No newline at end of file',
      '',
    ].join('\n'),
  );
});

test('a new, a deleted and a renamed file have their header lines [PATCH-34]', () => {
  expect(unifiedDiff({ path: 'n', before: undefined, after: 'x\n' })).toBe(
    'diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n',
  );
  expect(unifiedDiff({ path: 'n', before: 'x\n', after: undefined })).toBe(
    'diff --git a/n b/n\ndeleted file mode 100644\n--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
  );
  expect(unifiedDiff({ path: 'n', movedFrom: 'o', before: 'x\n', after: 'x\n' })).toBe(
    'diff --git a/o b/n\nrename from o\nrename to n\n',
  );
  expect(unifiedDiff({ path: 'n', before: 'x\n', after: 'x\n' })).toBe('');
});

describe('git applies the diffs [PATCH-35]', () => {
  const changes: readonly Change[] = [
    { path: 'edit', before: 'a\nb\nc\n', after: 'a\nB\nc\nd\n' },
    { path: 'no newline', before: 'a\nb', after: 'a\nc' },
    { path: 'newline comes', before: 'a', after: 'a\n' },
    { path: 'newline goes', before: 'a\n', after: 'a' },
    { path: 'crlf', before: 'a\r\nb\r\n', after: 'a\r\nc\r\n' },
    { path: 'deep/er/new', before: undefined, after: 'x\ny\n' },
    { path: 'new empty', before: undefined, after: '' },
    { path: 'gone', before: 'x\n', after: undefined },
    { path: 'gone empty', before: '', after: undefined },
    { path: 'emptied', before: 'x\n', after: '' },
    { path: 'filled', before: '', after: 'x\n' },
    { path: 'to/here', movedFrom: 'from/there', before: 'a\nb\n', after: 'a\nB\n' },
    { path: 'same text', movedFrom: 'old name', before: 'a\n', after: 'a\n' },
    { path: 'quo"te\\tab\there', before: 'a\n', after: 'b\n' },
    { path: 'umlaut ü 漢', before: 'a\n', after: 'b\n' },
    { path: 'no context', before: 'a\nb\nc\n', after: 'a\nc\nd\n', contextLines: 0 },
  ];

  test('of every kind of change at once', async () => {
    const expected = changes.filter(({ after }) => after !== undefined).map(({ path, after }) => [path, after]);
    expect(await appliedByGit(changes)).toEqual(Object.fromEntries(expected));
  });

  test('of random files', async () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', '-', '+x', '@@'), { maxLength: 25 }), fc.boolean())
      .map(([lines, isEnded]) => lines.join('\n') + (isEnded && lines.length > 0 ? '\n' : ''));
    const pairs = fc.sample(fc.tuple(text, text), { numRuns: 150, seed: 7 });
    const random = pairs.map(([before, after], index) => ({ path: `f${index}`, before, after }));
    const differing = random.filter(({ before, after }) => before !== after);
    expect(differing.length).toBeGreaterThan(100);
    expect(await appliedByGit(differing)).toEqual(
      Object.fromEntries(differing.map(({ path, after }) => [path, after])),
    );
  });
});

test('hunks turn the old text into the new one, for any two texts [PATCH-36]', () => {
  const text = fc
    .array(fc.constantFrom('a\n', 'b\n', 'c\n', 'd\n', '\n', 'e'), { maxLength: 40 })
    .map((l) => l.join(''));
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0, max: 4 }), (before, after, contextLines) => {
      const { text: hunks, addedLines, removedLines } = diffHunks({ before, after, contextLines });
      expect(applyHunks(before, hunks)).toBe(after);
      expect(addedLines - removedLines).toBe(lineCount(after) - lineCount(before));
    }),
    { numRuns: 1500 },
  );
});

test('as few lines change as possible where texts are small [PATCH-36]', () => {
  const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n'), { maxLength: 14 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const { addedLines, removedLines } = diffHunks({ before: before.join(''), after: after.join('') });
      const common = longestCommon(before, after);
      expect({ addedLines, removedLines }).toEqual({
        addedLines: after.length - common,
        removedLines: before.length - common,
      });
    }),
    { numRuns: 500 },
  );
});

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    for (const [j, other] of b.entries()) {
      next.push(line === other ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function lineCount(text: string): number {
  return text.match(/[^\n]*\n|[^\n]+$/g)?.length ?? 0;
}

describe('large texts are compared within a bound [PATCH-37]', () => {
  const numbered = (count: number, name: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => `${name(index)}\n`).join('');

  test('scattered changes beyond the exact bound are still told apart', () => {
    const before = numbered(/* count */ 100_000, (i) => `line ${i}`);
    const after = numbered(/* count */ 100_000, (i) => (i % 50 === 7 ? `changed ${i}` : `line ${i}`));
    const cpuBefore = process.cpuUsage();
    const hunks = diffHunks({ before, after });
    expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(5_000);
    expect({ added: hunks.addedLines, removed: hunks.removedLines }).toEqual({ added: 2_000, removed: 2_000 });
    expect(applyHunks(before, hunks.text)).toBe(after);
  });

  test('texts without common lines become one replacement', () => {
    const before = numbered(/* count */ 60_000, (i) => `old ${i}`);
    const after = numbered(/* count */ 60_000, (i) => `new ${i}`);
    const hunks = diffHunks({ before, after });
    expect({ added: hunks.addedLines, removed: hunks.removedLines }).toEqual({ added: 60_000, removed: 60_000 });
  });

  test('repeated lines in another order stay correct', () => {
    const before = numbered(/* count */ 20_000, (i) => `${(i * 7) % 11}`);
    const after = numbered(/* count */ 20_000, (i) => `${(i * 5) % 13}`);
    const cpuBefore = process.cpuUsage();
    const hunks = diffHunks({ before, after });
    expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(5_000);
    expect(applyHunks(before, hunks.text)).toBe(after);
  });
});
