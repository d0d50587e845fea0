import { LineSearch } from './line-search.ts';
import type { PatchChunk, PatchLine } from './parse-patch.ts';
import { PatchError } from './patch-error.ts';

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The text of a file after the chunks of one update section. Chunks must come in file order.
 *
 * Lines that the patch does not add or remove keep the file's own spelling and line ending. Added lines get
 * the ending of the file's first line. A file whose last line has no ending keeps it so, except when writing that line
 * anew is all that the patch does there. A byte order mark stays and is no part of the first line.
 *
 * Error: PatchError 'context-not-found' or 'lines-not-found'; `path` is for its message.
 */
export function applyUpdate(options: {
  readonly path: string;
  readonly text: string;
  readonly chunks: readonly PatchChunk[];
}): string {
  const mark = options.text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const file = splitFile(options.text.slice(mark.length));
  const result = replaceLines(file, locateChunks(file.lines, options));
  return result.startsWith(mark) ? result : mark + result;
}

interface FileLines {
  readonly text: string;
  /** Without endings. */
  readonly lines: readonly string[];
  /** Offset of each line, then the length of the text. */
  readonly offsets: readonly number[];
  readonly ending: string;
  /** The last line has no ending. */
  readonly isOpen: boolean;
}

interface LineReplacement {
  readonly start: number;
  readonly removeCount: number;
  readonly insert: readonly string[];
}

/** A lone CR ends a line only in a file that has no LF at all. */
function splitFile(text: string): FileLines {
  const usesLineFeed = text.includes('\n');
  const ending = usesLineFeed ? (/\r?\n/.exec(text)?.[0] ?? '\n') : text.includes('\r') ? '\r' : '\n';
  const separator = usesLineFeed ? '\n' : ending;
  const lines: string[] = [];
  const offsets: number[] = [];
  let offset = 0;
  while (offset < text.length) {
    const found = text.indexOf(separator, offset);
    const end = found === -1 ? text.length : found;
    const contentEnd = found !== -1 && usesLineFeed && text[found - 1] === '\r' ? found - 1 : end;
    lines.push(text.slice(offset, contentEnd));
    offsets.push(offset);
    offset = end + 1;
  }
  offsets.push(text.length);
  return { text, lines, offsets, ending, isOpen: text !== '' && !text.endsWith(separator) };
}

function locateChunks(
  fileLines: readonly string[],
  options: { readonly path: string; readonly chunks: readonly PatchChunk[] },
): readonly LineReplacement[] {
  const search = new LineSearch(fileLines);
  const replacements: (readonly LineReplacement[])[] = [];
  let cursor = 0;
  for (const chunk of options.chunks) {
    if (chunk.context !== undefined) {
      const found = search.find([chunk.context], { from: cursor, atEnd: false });
      if (found === undefined) throw contextNotFound(chunk.context, options.path);
      cursor = found + 1;
    }
    if (chunk.lines.every((line) => line.kind === 'add')) {
      replacements.push(replacementsAt(fileLines.length, chunk.lines));
      continue;
    }
    const located = locateBlock(search, chunk, { cursor, path: options.path });
    replacements.push(replacementsAt(located.start, located.lines));
    cursor = located.start + oldLines(located.lines).length;
  }
  // Insertions at the end of the file may come before changes further up; the sort keeps equal places in order.
  return replacements.flat().sort((a, b) => a.start - b.start);
}

function locateBlock(
  search: LineSearch,
  chunk: PatchChunk,
  options: { readonly cursor: number; readonly path: string },
): { readonly start: number; readonly lines: readonly PatchLine[] } {
  const where = { from: options.cursor, atEnd: chunk.atEndOfFile };
  const block = oldLines(chunk.lines);
  const start = search.find(block, where);
  if (start !== undefined) return { start, lines: chunk.lines };
  if (block.at(-1) === '') {
    const lines = withoutTrailingEmptyLine(chunk.lines);
    const retried = search.find(oldLines(lines), where);
    if (retried !== undefined) return { start: retried, lines };
  }
  throw new PatchError(
    'lines-not-found',
    `Failed to find expected lines in ${options.path}:\n${block.join('\n')}`,
    options,
  );
}

function contextNotFound(context: string, path: string): PatchError {
  return new PatchError('context-not-found', `Failed to find context '${context}' in ${path}`, { path });
}

function oldLines(lines: readonly PatchLine[]): readonly string[] {
  return lines.filter((line) => line.kind !== 'add').map((line) => line.text);
}

/** Drops the last old line, which is empty, and, if the new lines also end with an empty one, that one. */
function withoutTrailingEmptyLine(lines: readonly PatchLine[]): readonly PatchLine[] {
  const lastOld = lines.findLastIndex((line) => line.kind !== 'add');
  const shortened = lines.flatMap((line, index): readonly PatchLine[] => {
    if (index !== lastOld) return [line];
    return line.kind === 'remove' ? [] : [{ kind: 'add', text: '' }];
  });
  const lastNew = shortened.findLastIndex((line) => line.kind !== 'remove');
  const last = shortened[lastNew];
  return last?.kind === 'add' && last.text === '' ? shortened.toSpliced(lastNew, 1) : shortened;
}

/** The changes of one chunk whose old lines stand at `start`; context lines are not touched. */
function replacementsAt(start: number, lines: readonly PatchLine[]): readonly LineReplacement[] {
  const replacements: LineReplacement[] = [];
  let position = start;
  let removeCount = 0;
  let insert: string[] = [];
  const flush = (): void => {
    if (removeCount > 0 || insert.length > 0) replacements.push({ start: position, removeCount, insert });
    position += removeCount;
    removeCount = 0;
    insert = [];
  };
  for (const line of lines) {
    if (line.kind === 'remove') removeCount++;
    else if (line.kind === 'add') insert.push(line.text);
    else {
      flush();
      position++;
    }
  }
  flush();
  return replacements;
}

function replaceLines(file: FileLines, replacements: readonly LineReplacement[]): string {
  const pieces: string[] = [];
  let kept = 0;
  const keepUntil = (end: number): void => {
    const piece = file.text.slice(file.offsets[kept], file.offsets[end]);
    if (piece === '') return;
    pieces.push(piece);
    if (!piece.endsWith(file.ending.slice(-1))) pieces.push(file.ending);
  };
  for (const { start, removeCount, insert } of replacements) {
    keepUntil(start);
    for (const line of insert) pieces.push(line, file.ending);
    kept = start + removeCount;
  }
  keepUntil(file.lines.length);
  const closed = pieces.join('');
  if (!file.isOpen) return closed;
  const open = pieces.at(-1) === file.ending ? pieces.slice(0, -1).join('') : closed.replace(/\r?\n$|\r$/, '');
  // Its lines are what they were: the one thing that a patch of the last line can still mean is the ending.
  return open === file.text && kept === file.lines.length ? closed : open;
}
