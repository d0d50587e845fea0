import { resolvePath } from '../paths.ts';
import { isKnownSafeCommand, splitCommand } from '../shell/index.ts';

/** First and last line, 1-based. */
export type LineRange = readonly [number, number];

/** How much of a file was seen. Not whole and without lines: some of it, it is not known what. */
export interface FileExtent {
  readonly isWhole: boolean;
  /** In order, apart from one another. */
  readonly lines: readonly LineRange[];
}

export interface FileRead {
  /** Absolute. */
  readonly path: string;
  readonly extent: FileExtent;
}

/** Stands for the last line of a file, wherever that is. */
export const END_OF_FILE = Number.MAX_SAFE_INTEGER;
const WHOLE: FileExtent = { isWhole: true, lines: [] };
const PART: FileExtent = { isWhole: false, lines: [] };

/** Scripts longer than this are programs, not looks into files. Characters. */
const LONGEST_SCRIPT = 10_000;
/** Where error messages go says nothing about what is read. */
const QUIET_ERRORS = /\s2>(?:\s?\/dev\/null|&1)(?![\w./-])/g;
/** Separate ranges kept of one file. */
const MOST_RANGES = 20;
/** Lines that `head` prints when it is not told. */
const HEAD_LINES = 10;

/** What a program shows of its files, and which of its options take the next word as their value. */
interface Reader {
  readonly valueOptions: ReadonlySet<string>;
  /** Operands before the first file. */
  readonly skip: number;
  extent(args: readonly string[]): FileExtent | undefined;
}

const options = (words: string): ReadonlySet<string> => new Set(words.split(' '));
const SEARCH_OPTIONS = options(
  '-A -B -C -g -m -t -T -j -M --after-context --before-context --context --glob --max-count --type --type-not',
);

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['cat', { valueOptions: new Set(), skip: 0, extent: () => WHOLE }],
  ['nl', { valueOptions: options('-b -d -f -h -i -l -n -s -v -w'), skip: 0, extent: () => WHOLE }],
  ['head', { valueOptions: options('-n -c --lines --bytes'), skip: 0, extent: headExtent }],
  ['tail', { valueOptions: options('-n -c --lines --bytes'), skip: 0, extent: tailExtent }],
  ['sed', { valueOptions: new Set(), skip: 1, extent: sedExtent }],
  ['wc', { valueOptions: new Set(), skip: 0, extent: () => PART }],
  ['grep', { valueOptions: SEARCH_OPTIONS, skip: 1, extent: searchExtent }],
  ['rg', { valueOptions: SEARCH_OPTIONS, skip: 1, extent: searchExtent }],
]);

/** The files that a shell script shows, as far as its text tells, and whether it does nothing but read. */
export function readsOfScript(
  script: string,
  cwd: string,
): { readonly reads: readonly FileRead[]; readonly isOnlyReading: boolean } {
  const commands = script.length > LONGEST_SCRIPT ? undefined : splitCommand(script.replaceAll(QUIET_ERRORS, ''));
  if (commands === undefined) return { reads: [], isOnlyReading: false };
  const reads: FileRead[] = [];
  let base: string | undefined = cwd;
  /** Where the reads of the command before begin: a filter behind it narrows them. */
  let previousStart = 0;
  let isAllKnown = true;
  for (const { words } of commands) {
    const [program = '', ...args] = words;
    if (program === 'cd') {
      base = base === undefined ? undefined : changedFolder(base, args);
      continue;
    }
    const reader = READERS.get(program.slice(program.lastIndexOf('/') + 1));
    const extent = reader?.extent(args);
    if (reader === undefined || extent === undefined || base === undefined) {
      isAllKnown = false;
      continue;
    }
    const operands = operandsOf(args, reader.valueOptions).slice(reader.skip);
    if (operands.length === 0) {
      for (let index = previousStart; index < reads.length; index += 1) {
        const read = reads[index];
        if (read !== undefined) reads[index] = { ...read, extent: narrowed(read.extent, extent) };
      }
      continue;
    }
    previousStart = reads.length;
    const isSearch = reader.valueOptions === SEARCH_OPTIONS;
    for (const operand of operands) {
      if (namesFile(operand, { mayBeFolder: isSearch })) reads.push({ path: resolvePath(base, operand), extent });
    }
  }
  return { reads, isOnlyReading: reads.length > 0 && (isAllKnown || isKnownSafeCommand(script)) };
}

/** All that was seen of a file by two looks at it. */
export function mergeExtents(left: FileExtent, right: FileExtent): FileExtent {
  if (left.isWhole || right.isWhole) return WHOLE;
  const merged: LineRange[] = [];
  for (const range of [...left.lines, ...right.lines].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && range[0] <= last[1] + 1)
      merged[merged.length - 1] = [last[0], Math.max(last[1], range[1])];
    else merged.push(range);
  }
  if (merged[0]?.[0] === 1 && merged[0][1] === END_OF_FILE) return WHOLE;
  return { isWhole: false, lines: merged.slice(-MOST_RANGES) };
}

/** What a filter that passes on `filter` of its input leaves of `extent`. */
function narrowed(extent: FileExtent, filter: FileExtent): FileExtent {
  if (filter.isWhole || extent.isWhole) return filter.isWhole ? extent : filter;
  const [first] = extent.lines;
  const [wanted] = filter.lines;
  if (first === undefined || wanted === undefined || extent.lines.length > 1) return PART;
  const start = first[0] + wanted[0] - 1;
  const end = Math.min(first[1], wanted[1] === END_OF_FILE ? END_OF_FILE : first[0] + wanted[1] - 1);
  return start > end ? PART : { isWhole: false, lines: [[start, end]] };
}

function changedFolder(base: string, args: readonly string[]): string | undefined {
  const [folder, more] = args;
  if (folder === undefined || more !== undefined || /^[~-]/.test(folder)) return undefined;
  return resolvePath(base, folder);
}

function operandsOf(args: readonly string[], valueOptions: ReadonlySet<string>): readonly string[] {
  const operands: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') return [...operands, ...args.slice(index + 1)];
    if (valueOptions.has(arg)) index += 1;
    else if (!arg.startsWith('-')) operands.push(arg);
  }
  return operands;
}

/** Searches take folders as well; only a name with an ending is certainly none. */
function namesFile(operand: string, { mayBeFolder }: { readonly mayBeFolder: boolean }): boolean {
  if (operand === '' || /[*?[\]]|^~|^\/(?:dev|proc|sys)\//.test(operand)) return false;
  return !mayBeFolder || /[^./]\.[A-Za-z0-9]+$/.test(operand);
}

/** The value of `-n N`, `-nN`, `--lines=N` or `-N`; `undefined`: it counts something else, or is not given. */
function lineCount(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '-n' || arg === '--lines') return args[index + 1];
    const match = /^(?:-n|--lines=|-)([+-]?\d+)$/.exec(arg);
    if (match !== null) return match[1];
  }
  return undefined;
}

function headExtent(args: readonly string[]): FileExtent {
  if (args.some((arg) => /^(?:-c|--bytes)/.test(arg))) return PART;
  const count = lineCount(args) ?? String(HEAD_LINES);
  return /^\d{1,9}$/.test(count) && count !== '0' ? { isWhole: false, lines: [[1, Number(count)]] } : PART;
}

function tailExtent(args: readonly string[]): FileExtent {
  const from = /^\+(\d{1,9})$/.exec(lineCount(args) ?? '')?.[1];
  if (from === undefined) return PART;
  return Number(from) <= 1 ? WHOLE : { isWhole: false, lines: [[Number(from), END_OF_FILE]] };
}

/** Only `sed -n 3p`, `sed -n 3,7p` and `sed -n '3,$p'`: anything else may print, write or change anything. */
function sedExtent(args: readonly string[]): FileExtent | undefined {
  const match = args[0] === '-n' ? /^(\d{1,9})(?:,(\d{1,9}|\$))?p$/.exec(args[1] ?? '') : null;
  if (match === null) return undefined;
  const start = Math.max(1, Number(match[1]));
  const end = match[2] === '$' ? END_OF_FILE : Number(match[2] ?? match[1]);
  if (start <= 1 && end === END_OF_FILE) return WHOLE;
  return { isWhole: false, lines: [[start, Math.max(start, end)]] };
}

/** With a pattern as an option or no pattern at all the first operand is something else. */
function searchExtent(args: readonly string[]): FileExtent | undefined {
  return args.some((arg) => /^(?:-e|-f|--regexp|--file|--files)/.test(arg)) ? undefined : PART;
}
