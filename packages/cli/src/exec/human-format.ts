import { isAbsolute, relative, sep } from 'node:path';
import type { FileChangeSummary } from '@quire/protocol';
import { safeLine, safeText } from './safe-text.ts';
import type { Style } from './style.ts';

/** Longest line shown, in characters. */
const MAX_LINE_CHARACTERS = 400;

export interface LineLimits {
  readonly head: number;
  readonly tail: number;
}

/** The first and last lines of a text, with a note in between about how many are left out. */
export function cutLines(
  text: string,
  limits: LineLimits,
): { readonly lines: readonly string[]; readonly cutAt: number } {
  const all = text.replace(/\n+$/, '').split('\n');
  if (all.length === 1 && all[0] === '') return { lines: [], cutAt: -1 };
  const hidden = all.length - limits.head - limits.tail;
  if (hidden <= 1) return { lines: all.map(cutLine), cutAt: -1 };
  const tail = limits.tail === 0 ? [] : all.slice(-limits.tail);
  const lines = [...all.slice(0, limits.head), `… ${hidden} more lines`, ...tail];
  return { lines: lines.map(cutLine), cutAt: limits.head };
}

/** Never between the two halves of one character. */
function cutLine(line: string): string {
  if (line.length <= MAX_LINE_CHARACTERS) return line;
  const last = line.charCodeAt(MAX_LINE_CHARACTERS - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return `${line.slice(0, isHalf ? MAX_LINE_CHARACTERS - 1 : MAX_LINE_CHARACTERS)}…`;
}

/** What a terminal would end up with: of a line that was written over, as progress bars are, the last state. */
export function lastStates(text: string): string {
  if (!text.includes('\r')) return text;
  return text
    .split('\n')
    .map((line) => {
      const shown = line.replace(/\r+$/, '');
      return shown.slice(shown.lastIndexOf('\r') + 1);
    })
    .join('\n');
}

/** `340 ms`, `1.2 s`, `2 min 5 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1_000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** With a comma between groups of three digits. The platform's formatter costs milliseconds to load. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Relative to the working directory when it is below it. Safe to show. */
export function shortPath(path: string, workingDirectory: string): string {
  const short = relative(workingDirectory, path);
  const isBelow = short !== '' && short !== '..' && !short.startsWith(`..${sep}`) && !isAbsolute(short);
  return safeLine(isBelow ? short : path);
}

/** `M src/a.ts +3 -1` and the hunks below it. */
export function formatChange(
  change: FileChangeSummary,
  options: { readonly style: Style; readonly workingDirectory: string; readonly limits: LineLimits },
): readonly string[] {
  const { style, workingDirectory } = options;
  const path = shortPath(change.path, workingDirectory);
  const from = change.movedFrom === undefined ? '' : `${shortPath(change.movedFrom, workingDirectory)} → `;
  const letter = change.movedFrom === undefined ? { add: 'A', delete: 'D', update: 'M' }[change.kind] : 'R';
  const counts = `${style.green(`+${change.addedLines}`)} ${style.red(`-${change.removedLines}`)}`;
  const { lines, cutAt } = cutLines(safeText(change.diff), options.limits);
  const body = lines.map((line, index) => `    ${index === cutAt ? style.dim(line) : paintDiffLine(line, style)}`);
  return [`  ${style.bold(letter)} ${from}${path} ${counts}`, ...body];
}

function paintDiffLine(line: string, style: Style): string {
  if (line.startsWith('+')) return style.green(line);
  if (line.startsWith('-')) return style.red(line);
  return line.startsWith('@@') ? style.cyan(line) : style.dim(line);
}
