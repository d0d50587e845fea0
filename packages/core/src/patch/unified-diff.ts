import { diffLines, type LineChange, splitLines } from './line-diff.ts';

export interface DiffHunks {
  /** `@@ … @@` hunks, each line ended by LF; empty when nothing changed. */
  readonly text: string;
  readonly addedLines: number;
  readonly removedLines: number;
}

const DEFAULT_CONTEXT_LINES = 3;
/** Characters that git writes as an escape in a quoted path. */
const PATH_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

/** The hunks of a unified diff, without file headers. A missing text counts as empty. */
export function diffHunks(options: {
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly contextLines?: number;
}): DiffHunks {
  const before = splitLines(options.before ?? '');
  const after = splitLines(options.after ?? '');
  const changes = options.before === options.after ? [] : diffLines(before, after);
  const contextLines = options.contextLines ?? DEFAULT_CONTEXT_LINES;
  const pieces: string[] = [];
  let addedLines = 0;
  let removedLines = 0;
  for (const change of changes) {
    addedLines += change.afterEnd - change.afterStart;
    removedLines += change.beforeEnd - change.beforeStart;
  }
  for (const group of groupChanges(changes, contextLines)) {
    writeHunk(pieces, { before, after, group, contextLines });
  }
  return { text: pieces.join(''), addedLines, removedLines };
}

/**
 * One file's part of a git-style diff, ready for `git apply`: `undefined` stands for a file that does not
 * exist. Empty when nothing changed. Paths are relative to the root that the reader applies it in.
 */
export function unifiedDiff(options: {
  readonly path: string;
  /** Old path of a renamed file. */
  readonly movedFrom?: string | undefined;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly contextLines?: number;
}): string {
  const { path, before, after } = options;
  const oldPath = options.movedFrom ?? path;
  const isRename = oldPath !== path && before !== undefined && after !== undefined;
  if (before === after && !isRename) return '';
  const header = [`diff --git ${quotePath(`a/${oldPath}`)} ${quotePath(`b/${path}`)}\n`];
  if (before === undefined) header.push('new file mode 100644\n');
  if (after === undefined) header.push('deleted file mode 100644\n');
  if (isRename) header.push(`rename from ${quotePath(oldPath)}\n`, `rename to ${quotePath(path)}\n`);
  const hunks = diffHunks(options).text;
  if (hunks === '') return header.join('');
  const from = before === undefined ? '/dev/null' : fileLabel(`a/${oldPath}`);
  const to = after === undefined ? '/dev/null' : fileLabel(`b/${path}`);
  return `${header.join('')}--- ${from}\n+++ ${to}\n${hunks}`;
}

interface ChangeGroup {
  readonly first: LineChange;
  readonly last: LineChange;
  readonly changes: readonly LineChange[];
}

/** Changes whose context would touch share a hunk. */
function groupChanges(changes: readonly LineChange[], contextLines: number): readonly ChangeGroup[] {
  const groups: { first: LineChange; last: LineChange; changes: LineChange[] }[] = [];
  for (const change of changes) {
    const group = groups.at(-1);
    if (group !== undefined && change.beforeStart - group.last.beforeEnd <= 2 * contextLines) {
      group.changes.push(change);
      group.last = change;
    } else {
      groups.push({ first: change, last: change, changes: [change] });
    }
  }
  return groups;
}

function writeHunk(
  pieces: string[],
  options: {
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly group: ChangeGroup;
    readonly contextLines: number;
  },
): void {
  const { before, after, group, contextLines } = options;
  const leading = Math.min(contextLines, group.first.beforeStart);
  const trailing = Math.min(contextLines, before.length - group.last.beforeEnd);
  const oldStart = group.first.beforeStart - leading;
  const oldEnd = group.last.beforeEnd + trailing;
  const newStart = group.first.afterStart - leading;
  const newEnd = group.last.afterEnd + trailing;
  pieces.push(`@@ -${hunkRange(oldStart, oldEnd)} +${hunkRange(newStart, newEnd)} @@\n`);
  let position = oldStart;
  for (const change of group.changes) {
    writeLines(pieces, ' ', before.slice(position, change.beforeStart));
    writeLines(pieces, '-', before.slice(change.beforeStart, change.beforeEnd));
    writeLines(pieces, '+', after.slice(change.afterStart, change.afterEnd));
    position = change.beforeEnd;
  }
  writeLines(pieces, ' ', before.slice(position, oldEnd));
}

function hunkRange(start: number, end: number): string {
  const count = end - start;
  const firstLine = count === 0 ? start : start + 1;
  return count === 1 ? `${firstLine}` : `${firstLine},${count}`;
}

function writeLines(pieces: string[], prefix: string, lines: readonly string[]): void {
  for (const line of lines) {
    pieces.push(prefix, line);
    if (!line.endsWith('\n')) pieces.push('\n\\ No newline at end of file\n');
  }
}

/** A path with blanks is followed by a tab, so that readers know where it ends. */
function fileLabel(path: string): string {
  const quoted = quotePath(path);
  return quoted === path && /\s/.test(path) ? `${path}\t` : quoted;
}

function quotePath(path: string): string {
  let quoted = '';
  for (const character of path) {
    const isControl = character < ' ' || character === '\x7f';
    const octal = isControl ? `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}` : character;
    quoted += PATH_ESCAPES[character] ?? octal;
  }
  return quoted === path ? path : `"${quoted}"`;
}
