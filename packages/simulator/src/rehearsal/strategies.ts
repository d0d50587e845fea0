import type { Evidence, Mismatch } from './evidence.ts';
import type { SourceFile } from './source-file.ts';

/** A changed line and how well the evidence speaks for it; higher is tried earlier. */
export interface Proposal {
  readonly lineIndex: number;
  readonly after: string;
  readonly weight: number;
  /** In words, for the summary. */
  readonly reason: string;
}

export interface StrategyInput {
  readonly source: SourceFile;
  readonly evidence: Evidence;
  /** Every identifier of all files read, with how often it occurs. */
  readonly identifiers: ReadonlyMap<string, number>;
}

type Strategy = (input: StrategyInput) => Iterable<Proposal>;

export const STRATEGIES: readonly Strategy[] = [
  misspeltName,
  wrongText,
  missingReturn,
  swappedOperator,
  shiftedBound,
  wrongNumber,
];

function* misspeltName({ source, evidence, identifiers }: StrategyInput): Generator<Proposal> {
  for (const [lineIndex, code] of source.code.entries()) {
    for (const match of code.matchAll(/[A-Za-z_$][\w$]*/g)) {
      const name = match[0];
      const isAccused = evidence.unknownNames.includes(name);
      // A name that occurs once and is close to a common one is suspicious even when no error names it.
      if (!isAccused && (identifiers.get(name) !== 1 || name.length < 4)) continue;
      for (const [other, count] of identifiers) {
        const gap = other === name ? 0 : editDistance(name, other);
        if (gap === 0 || gap > 2 || gap * 2 >= name.length || (!isAccused && count < 2)) continue;
        const after = splice(source, lineIndex, match.index, name.length, other);
        const weight = (isAccused ? 110 : 85) - 5 * gap;
        yield { lineIndex, after, weight, reason: `${name} looks like a misspelling of ${other}` };
      }
    }
  }
}

function* wrongText({ source, evidence }: StrategyInput): Generator<Proposal> {
  for (const mismatch of evidence.mismatches) {
    if (typeof mismatch.expected !== 'string' || typeof mismatch.actual !== 'string') continue;
    const difference = differingRange(mismatch.expected, mismatch.actual);
    for (const [lineIndex, line] of source.lines.entries()) {
      for (const literal of literalsOf(line, source.code[lineIndex] ?? '')) {
        for (const changed of changedLiteral(literal.text, mismatch.actual, difference)) {
          const after = splice(source, lineIndex, literal.start, literal.text.length, changed);
          yield { lineIndex, after, weight: 90, reason: `the text ${quote(literal.text)} should be ${quote(changed)}` };
        }
      }
    }
  }
}

function* missingReturn({ source, evidence }: StrategyInput): Generator<Proposal> {
  const isLikely =
    evidence.mismatches.some(({ actual }) => actual === undefined || Number.isNaN(actual)) ||
    evidence.errors.some((line) => line.includes('of undefined'));
  if (
    !isLikely &&
    !evidence.mismatches.some(({ actual }) => typeof actual === 'string' && /undefined|NaN/.test(actual))
  ) {
    return;
  }
  for (const span of source.functions) {
    const body = source.code.slice(span.firstLine, span.lastLine + 1);
    if (body.some((line) => /\breturn\b/.test(line))) continue;
    for (let lineIndex = span.lastLine - 1; lineIndex > span.firstLine; lineIndex -= 1) {
      const code = source.code[lineIndex] ?? '';
      if (!/^\s*[\w$`'"([{!-]/.test(code) || /^\s*(?:const|let|var|if|for|while|else|\})\b/.test(code)) continue;
      const after = (source.lines[lineIndex] ?? '').replace(/^\s*/, (indent) => `${indent}return `);
      yield { lineIndex, after, weight: 95, reason: `${span.name} did not return its result` };
      break;
    }
  }
}

const SWAPS: readonly (readonly [pattern: RegExp, replacements: readonly string[], weight: number])[] = [
  [/(?<![<=>!])<(?![<=])/g, ['<=', '>'], 60],
  [/<=(?!=)/g, ['<', '>='], 60],
  [/(?<![=>-])>(?![>=])/g, ['>=', '<'], 55],
  [/(?<![=>])>=(?!=)/g, ['>', '<='], 55],
  [/===/g, ['!=='], 45],
  [/!==/g, ['==='], 45],
  [/\+=/g, ['-=', '*='], 50],
  [/-=/g, ['+='], 50],
  [/(?<=[\w$)\]] )\+(?= [\w$(])/g, ['-', '*'], 48],
  [/(?<=[\w$)\]] )-(?= [\w$(])/g, ['+'], 48],
  [/(?<=[\w$)\]] )\*(?= [\w$(])/g, ['/', '+'], 46],
  [/(?<=[\w$)\]] )\/(?= [\w$(])/g, ['*', '%'], 46],
  [/(?<=[\w$)\]] )%(?= [\w$(])/g, ['/'], 46],
  [/&&/g, ['||'], 40],
  [/\|\|/g, ['&&'], 40],
  [/\bMath\.floor\b/g, ['Math.ceil', 'Math.round'], 38],
  [/\bMath\.ceil\b/g, ['Math.floor', 'Math.round'], 38],
  [/\bMath\.round\b/g, ['Math.floor', 'Math.ceil'], 38],
  [/\bMath\.min\b/g, ['Math.max'], 44],
  [/\bMath\.max\b/g, ['Math.min'], 44],
  [/\btrue\b/g, ['false'], 30],
  [/\bfalse\b/g, ['true'], 30],
];

function* swappedOperator({ source }: StrategyInput): Generator<Proposal> {
  for (const [lineIndex, code] of source.code.entries()) {
    if (/^\s*(?:import|export \{|export \*)/.test(code)) continue;
    // In a loop's head only the comparison, and not turned round: other swaps make loops that never end.
    const isLoop = /\b(?:for|while)\s*\(/.test(code);
    for (const [pattern, replacements, weight] of SWAPS) {
      for (const match of code.matchAll(pattern)) {
        if (isLoop && !/^[<>]/.test(match[0])) continue;
        for (const [rank, replacement] of replacements.slice(0, isLoop ? 1 : replacements.length).entries()) {
          const after = splice(source, lineIndex, match.index, match[0].length, replacement);
          yield { lineIndex, after, weight: weight - 6 * rank, reason: `${match[0]} should be ${replacement}` };
        }
      }
    }
  }
}

/** Places where a bound is one too far or one too short. */
function* shiftedBound({ source }: StrategyInput): Generator<Proposal> {
  for (const [lineIndex, code] of source.code.entries()) {
    for (const match of code.matchAll(/(\.length|[\w$\])]) [+-] 1\b(?!\.)/g)) {
      const kept = match[1] ?? '';
      const after = splice(source, lineIndex, match.index, match[0].length, kept);
      yield { lineIndex, after, weight: 62, reason: `the bound ${match[0].trim()} is off by one` };
    }
    for (const match of code.matchAll(/\.length(?! [+-] 1\b)(?=[\s);\]])/g)) {
      const after = splice(source, lineIndex, match.index, match[0].length, '.length - 1');
      yield { lineIndex, after, weight: 35, reason: 'the bound .length is off by one' };
    }
    for (const match of code.matchAll(/\.slice\((-?\d+)/g)) {
      for (const next of [Number(match[1]) - 1, Number(match[1]) + 1]) {
        const after = splice(source, lineIndex, match.index, match[0].length, `.slice(${next}`);
        yield { lineIndex, after, weight: 42, reason: `the slice starts at ${match[1]} instead of ${next}` };
      }
    }
  }
}

const RELATED_NUMBERS: readonly (readonly number[])[] = [
  [60, 24, 3600, 1440, 86400, 7, 12, 100],
  [10, 100, 1000, 60],
];

function* wrongNumber({ source, evidence }: StrategyInput): Generator<Proposal> {
  for (const [lineIndex, code] of source.code.entries()) {
    for (const match of code.matchAll(/(?<![\w$.])\d[\d_]*(?:\.\d+)?(?![\w$.])/g)) {
      const value = Number(match[0].replaceAll('_', ''));
      for (const [next, weight] of likelyNumbers(value, evidence.mismatches)) {
        const after = splice(source, lineIndex, match.index, match[0].length, String(next));
        yield { lineIndex, after, weight, reason: `the number ${match[0]} should be ${next}` };
      }
    }
  }
}

function likelyNumbers(value: number, mismatches: readonly Mismatch[]): ReadonlyMap<number, number> {
  const likely = new Map<number, number>();
  const add = (next: number, weight: number): void => {
    if (next !== value && next >= 0 && Number.isFinite(next)) likely.set(next, Math.max(weight, likely.get(next) ?? 0));
  };
  for (const { expected, actual } of mismatches) {
    if (typeof expected !== 'number' || typeof actual !== 'number' || actual === 0) continue;
    add(tidy((value * expected) / actual), /* weight */ 52);
    if (expected !== 0) add(tidy((value * actual) / expected), /* weight */ 50);
  }
  for (const group of RELATED_NUMBERS) {
    if (group.includes(value)) for (const other of group) add(other, /* weight */ 47);
  }
  const all = RELATED_NUMBERS.flat();
  for (const other of all) if (Math.abs(other - value) <= other * 0.2 && value > 5) add(other, /* weight */ 49);
  if (Number.isInteger(value) && value <= 12) {
    add(value + 1, /* weight */ 36);
    add(value - 1, /* weight */ 37);
  }
  return likely;
}

function tidy(value: number): number {
  return Number(value.toFixed(4));
}

function splice(source: SourceFile, lineIndex: number, start: number, length: number, insert: string): string {
  const line = source.lines[lineIndex] ?? '';
  return line.slice(0, start) + insert + line.slice(start + length);
}

interface DifferingRange {
  readonly start: number;
  /** End in the actual text. */
  readonly end: number;
  /** What stands there in the expected text. */
  readonly replacement: string;
}

function differingRange(expected: string, actual: string): DifferingRange {
  const shorter = Math.min(expected.length, actual.length);
  let start = 0;
  while (start < shorter && expected[start] === actual[start]) start += 1;
  let tail = 0;
  while (tail < shorter - start && expected.at(-1 - tail) === actual.at(-1 - tail)) tail += 1;
  return { start, end: actual.length - tail, replacement: expected.slice(start, expected.length - tail) };
}

/** The stretches of a line that its blanked form hides or encloses in quotes: what the program can print. */
function* literalsOf(line: string, code: string): Generator<{ readonly start: number; readonly text: string }> {
  for (const match of code.matchAll(/(?<=['"`}])[ ]*(?=['"`$])/g)) {
    const literal = line.slice(match.index, match.index + match[0].length);
    yield { start: match.index, text: literal };
  }
}

/** The literal with the difference put in, for each place where it covers the difference in the actual text. */
function* changedLiteral(literal: string, actual: string, difference: DifferingRange): Generator<string> {
  if (literal === '') return;
  for (let at = actual.indexOf(literal); at >= 0; at = actual.indexOf(literal, at + 1)) {
    if (at > difference.start || at + literal.length < difference.end) continue;
    const changed =
      literal.slice(0, difference.start - at) + difference.replacement + literal.slice(difference.end - at);
    if (changed !== literal && !/['"`\\\n]/.test(changed)) yield changed;
  }
}

function quote(value: string): string {
  return JSON.stringify(value);
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > 2) return 3;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_unused, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && isSwap) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
