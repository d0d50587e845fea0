/** What a test run says about the bug. Reads the TAP and the spec form of node:test, with or without npm around it. */
export interface Evidence {
  /** Titles of failing tests. */
  readonly failures: readonly string[];
  /** Pairs of primitive values that should have been equal. */
  readonly mismatches: readonly Mismatch[];
  /** Names that an error calls undefined, not a function, or not exported. */
  readonly unknownNames: readonly string[];
  /** First lines of errors that are no assertions. */
  readonly errors: readonly string[];
  /** Places in files, as printed; paths are absolute. */
  readonly frames: readonly Frame[];
}

export type Primitive = string | number | boolean | undefined | null;

export interface Mismatch {
  readonly expected: Primitive;
  readonly actual: Primitive;
}

export interface Frame {
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

const FAILURE = /^\s*(?:not ok \d+ - |✖ )(.+?)(?: \([\d.]+ ?ms\))?(?: # .*)?$/gm;
const VALUE = /^(\s*)(expected|actual): ?(.*?),?$/;
const FRAME = /(?:file:\/\/)?(\/[^\s():'"]+\.[cm]?js):(\d+)(?::\d+)?/g;
const UNKNOWN_NAMES = [
  /\b([A-Za-z_$][\w$]*) is not defined/g,
  /(?:^|[\s.'"(])([A-Za-z_$][\w$]*) is not a (?:function|constructor)/gm,
  /does not provide an export named '([^']+)'/g,
];
const ERROR = /\b(?:Reference|Type|Syntax|Range)Error(?: \[\w+\])?: .+/g;
const TAP_ERROR = /^\s*error: ["'](.+)["']$/gm;
/** An error without a kind of its own, as the spec form prints it. */
const SPEC_ERROR = /^\s*Error: (.+)$/gm;

export function readEvidence(output: string): Evidence {
  const unknownNames = UNKNOWN_NAMES.flatMap((pattern) => captures(output, pattern));
  const errors = [...output.matchAll(ERROR)].map((match) => match[0]);
  return {
    failures: unique(
      captures(output, FAILURE).filter((title) => title !== 'failing tests:' && !/\.[cm]?js$/.test(title)),
    ),
    mismatches: readMismatches(output),
    unknownNames: unique(unknownNames),
    errors: unique(errors.length > 0 ? errors : [...captures(output, TAP_ERROR), ...captures(output, SPEC_ERROR)]),
    frames: [...output.matchAll(FRAME)].map((match) => ({ path: match[1] ?? '', line: Number(match[2]) })),
  };
}

/** The values come in pairs, in either order. A list or object pairs entry by entry. */
function readMismatches(output: string): readonly Mismatch[] {
  const pairs: Mismatch[] = [];
  const lines = output.split('\n');
  let half: ReportedValue | undefined;
  for (const [index, line] of lines.entries()) {
    // TAP leaves a value out when it is undefined; the operator comes after both.
    if (half !== undefined && /^\s*operator: /.test(line)) {
      pairs.push(...(half.name === 'expected' ? pairUp(half.entries, ['']) : pairUp([''], half.entries)));
      half = undefined;
    }
    const match = VALUE.exec(line);
    if (match === null) continue;
    const inline = match[3] ?? '';
    const entries = inline === '' ? readEntries(lines.slice(index + 1), match[1] ?? '') : [inline];
    const value = { name: match[2] ?? '', entries };
    if (half === undefined || half.name === value.name) half = value;
    else {
      const [expected, actual] =
        value.name === 'expected' ? [value.entries, half.entries] : [half.entries, value.entries];
      pairs.push(...pairUp(expected, actual));
      half = undefined;
    }
  }
  return pairs;
}

interface ReportedValue {
  readonly name: string;
  /** As printed: one for a primitive, several for what has entries. */
  readonly entries: readonly string[];
}

/** TAP prints the entries of an object on lines of their own, further in. */
function readEntries(lines: readonly string[], indent: string): readonly string[] {
  const entries: string[] = [];
  for (const line of lines) {
    const match = /^(\s+)[\w$]+: (.+)$/.exec(line);
    if (match === null || (match[1] ?? '').length <= indent.length) break;
    entries.push(match[2] ?? '');
  }
  return entries.length === 0 ? [''] : entries;
}

function pairUp(expected: readonly string[], actual: readonly string[]): readonly Mismatch[] {
  return expected.flatMap((text, index) => {
    const left = parsePrimitive(text);
    const right = parsePrimitive(actual[index] ?? '');
    const isPair = left !== undefined && right !== undefined && !Object.is(left.value, right.value);
    return isPair ? [{ expected: left.value, actual: right.value }] : [];
  });
}

function parsePrimitive(text: string): { readonly value: Primitive } | undefined {
  if (text === 'undefined' || text === '~' || text === '') return { value: undefined };
  if (text === 'null') return { value: null };
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  const quoted = /^(['"`])(.*)\1$/s.exec(text);
  if (quoted !== null) return { value: (quoted[2] ?? '').replace(/\\n/g, '\n').replace(/\\(['"`\\])/g, '$1') };
  if (text === 'NaN') return { value: Number.NaN };
  return /^-?[\d.]+(?:e[+-]?\d+)?$/i.test(text) ? { value: Number(text) } : undefined;
}

function captures(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
