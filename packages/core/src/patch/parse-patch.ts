import { PatchError } from './patch-error.ts';

export interface PatchLine {
  readonly kind: 'context' | 'add' | 'remove';
  /** Without prefix and without line ending. */
  readonly text: string;
}

export interface PatchChunk {
  /** The line named after `@@`; the search for `lines` starts behind it. */
  readonly context: string | undefined;
  readonly lines: readonly PatchLine[];
  /** Whether the old lines must be the last ones of the file. */
  readonly atEndOfFile: boolean;
}

/** What a patch does to one file. Paths are as the patch spells them, relative or absolute. */
export type PatchSection =
  | { readonly kind: 'add'; readonly path: string; readonly text: string }
  | { readonly kind: 'delete'; readonly path: string }
  | {
      readonly kind: 'update';
      readonly path: string;
      readonly moveTo: string | undefined;
      readonly chunks: readonly PatchChunk[];
    };

export interface ParsedPatch {
  readonly sections: readonly PatchSection[];
  /** Of the optional line after the begin marker. */
  readonly environmentId: string | undefined;
}

const BEGIN = '*** Begin Patch';
const END = '*** End Patch';
const END_OF_FILE = '*** End of File';
const ADD = '*** Add File: ';
const DELETE = '*** Delete File: ';
const UPDATE = '*** Update File: ';
const MOVE = '*** Move to: ';
const ENVIRONMENT = '*** Environment ID:';
const HEREDOC_OPENERS = ['<<EOF', "<<'EOF'", '<<"EOF"'];
const KIND_OF_PREFIX: Readonly<Record<string, PatchLine['kind']>> = { ' ': 'context', '+': 'add', '-': 'remove' };

/**
 * Reads a patch. Lenient where models are known to be careless: white space around the patch and its
 * headers, a heredoc wrapper, a first chunk without `@@`, context lines that lost their leading space
 * because they are empty, CRLF line endings.
 *
 * Error: PatchError 'invalid-patch' or 'invalid-hunk'. A patch without sections is not an error here.
 */
export function parsePatch(text: string): ParsedPatch {
  const lines = patchLines(text);
  const sections: PatchSection[] = [];
  const { environmentId, next } = readEnvironment(lines);
  let index = next;
  // The last line is the end marker, so every read below ends there at the latest.
  while (!isEnd(lineAt(lines, index))) {
    const read = readSection(lines, index);
    sections.push(read.value);
    index = read.next;
  }
  if (lines.slice(index).some((line) => !isEnd(line) && line.trim() !== '')) {
    throw hunkError(index + 1, `'${lineAt(lines, index + 1).trim()}' stands after '${END}'`);
  }
  return { sections, environmentId };
}

/** Whether `text` starts like a patch; it may still be malformed. */
export function looksLikePatch(text: string): boolean {
  const first = text.trimStart().split('\n', 1)[0];
  return first?.trimEnd() === BEGIN;
}

interface Read<T> {
  readonly value: T;
  /** Index of the line after it. */
  readonly next: number;
}

/** The patch's lines with exact markers as first and last; a read past the end therefore finds the end marker. */
function patchLines(text: string): readonly string[] {
  const lines = text.trim().split(/\r?\n/);
  const marked = hasMarkers(lines) ? lines : unwrapHeredoc(lines);
  if (marked[0]?.trim() !== BEGIN) throw missingMarker('first', BEGIN);
  if (marked.at(-1)?.trim() !== END) throw missingMarker('last', END);
  return [BEGIN, ...marked.slice(1, -1), END];
}

function hasMarkers(lines: readonly string[]): boolean {
  return lines[0]?.trim() === BEGIN && lines.at(-1)?.trim() === END;
}

function unwrapHeredoc(lines: readonly string[]): readonly string[] {
  const wrapped =
    lines.length >= 4 && HEREDOC_OPENERS.includes(lines[0]?.trim() ?? '') && lines.at(-1)?.endsWith('EOF') === true;
  if (!wrapped) return lines;
  return lines.slice(1, -1).join('\n').trim().split('\n');
}

function missingMarker(place: 'first' | 'last', marker: string): PatchError {
  return new PatchError('invalid-patch', `invalid patch: The ${place} line of the patch must be '${marker}'`);
}

function hunkError(index: number, detail: string): PatchError {
  const lineNumber = index + 1;
  return new PatchError('invalid-hunk', `invalid hunk at line ${lineNumber}, ${detail}`, { lineNumber });
}

function lineAt(lines: readonly string[], index: number): string {
  return lines[index] ?? END;
}

function isEnd(line: string): boolean {
  return line.trim() === END;
}

function pathAfter(header: string, line: string): string | undefined {
  const trimmed = line.trim();
  return trimmed.startsWith(header) ? trimmed.slice(header.length).trim() : undefined;
}

function readEnvironment(lines: readonly string[]): { environmentId: string | undefined; next: number } {
  const environmentId = pathAfter(ENVIRONMENT, lineAt(lines, /* index */ 1));
  if (environmentId === '') {
    throw new PatchError('invalid-patch', `invalid patch: the environment id after '${ENVIRONMENT}' is empty`);
  }
  return { environmentId, next: environmentId === undefined ? 1 : 2 };
}

function readSection(lines: readonly string[], index: number): Read<PatchSection> {
  const line = lineAt(lines, index);
  const added = pathAfter(ADD, line);
  if (added !== undefined) return readAdd(lines, index, added);
  const deleted = pathAfter(DELETE, line);
  if (deleted !== undefined) return { value: { kind: 'delete', path: deleted }, next: index + 1 };
  const updated = pathAfter(UPDATE, line);
  if (updated !== undefined) return readUpdate(lines, index, updated);
  const forms = [ADD, DELETE, UPDATE].map((header) => `'${header}{path}'`).join(', ');
  throw hunkError(index, `'${line.trim()}' is not a valid hunk header. A file section starts with one of: ${forms}`);
}

function readAdd(lines: readonly string[], headerIndex: number, path: string): Read<PatchSection> {
  const content: string[] = [];
  let index = headerIndex + 1;
  while (lineAt(lines, index).startsWith('+')) {
    content.push(lineAt(lines, index).slice(1), '\n');
    index++;
  }
  return { value: { kind: 'add', path, text: content.join('') }, next: index };
}

function readUpdate(lines: readonly string[], headerIndex: number, path: string): Read<PatchSection> {
  const moveTo = pathAfter(MOVE, lineAt(lines, headerIndex + 1));
  const chunks: PatchChunk[] = [];
  let index = headerIndex + (moveTo === undefined ? 1 : 2);
  for (;;) {
    const start = skipBlankLines(lines, index, { isFirst: chunks.length === 0 });
    if (isSectionBoundary(lineAt(lines, start))) {
      if (chunks.length === 0) throw hunkError(headerIndex, `Update file hunk for path '${path}' is empty`);
      return { value: { kind: 'update', path, moveTo, chunks }, next: start };
    }
    const chunk = readChunk(lines, start, { isFirst: chunks.length === 0 });
    chunks.push(chunk.value);
    index = chunk.next;
  }
}

/**
 * Blank lines before a chunk header carry nothing. Before a first chunk that has no header they are
 * its context: leaving them out could move the change to an earlier place.
 */
function skipBlankLines(lines: readonly string[], index: number, options: { readonly isFirst: boolean }): number {
  let next = index;
  while (lineAt(lines, next).trim() === '') next++;
  const found = lineAt(lines, next);
  return options.isFirst && !isChunkHeader(found) && !isSectionBoundary(found) ? index : next;
}

function isChunkHeader(line: string): boolean {
  return line.trimEnd() === '@@' || line.startsWith('@@ ');
}

/** After a chunk a leading space makes a context line, so only a header at the very start of its line counts. */
function isSectionBoundary(line: string): boolean {
  return [ADD, DELETE, UPDATE].some((header) => line.startsWith(header)) || line.trimEnd() === END;
}

function readChunk(lines: readonly string[], start: number, options: { readonly isFirst: boolean }): Read<PatchChunk> {
  const first = lineAt(lines, start);
  const hasHeader = isChunkHeader(first);
  if (!hasHeader && !options.isFirst) {
    throw hunkError(start, `Expected update hunk to start with a @@ context marker, got: '${first}'`);
  }
  const context = hasHeader && first.trimEnd() !== '@@' ? first.slice('@@ '.length) : undefined;
  const bodyStart = hasHeader ? start + 1 : start;
  const body: PatchLine[] = [];
  let index = bodyStart;
  for (let line = patchLine(lineAt(lines, index)); line !== undefined; line = patchLine(lineAt(lines, index))) {
    body.push(line);
    index++;
  }
  const atEndOfFile = lineAt(lines, index).trimEnd() === END_OF_FILE;
  if (body.length === 0) throw emptyChunk(lines, index, { atEndOfFile });
  return { value: { context, lines: body, atEndOfFile }, next: atEndOfFile ? index + 1 : index };
}

function emptyChunk(lines: readonly string[], index: number, options: { readonly atEndOfFile: boolean }): PatchError {
  const line = lineAt(lines, index);
  if (options.atEndOfFile || isEnd(line)) return hunkError(index, 'Update hunk does not contain any lines');
  const rule = "start each line with ' ' (context), '+' (added) or '-' (removed)";
  return hunkError(index, `Unexpected line found in update hunk: '${line}'. Inside a chunk, ${rule}`);
}

function patchLine(line: string): PatchLine | undefined {
  if (line === '') return { kind: 'context', text: '' };
  const kind = KIND_OF_PREFIX[line.charAt(0)];
  return kind === undefined ? undefined : { kind, text: line.slice(1) };
}
