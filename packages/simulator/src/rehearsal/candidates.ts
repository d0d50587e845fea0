import type { Evidence } from './evidence.ts';
import type { LineEdit } from './line-edit.ts';
import { readSource, type SourceFile } from './source-file.ts';
import { STRATEGIES } from './strategies.ts';

export interface Candidate extends LineEdit {
  readonly reason: string;
}

export interface CandidateInput {
  /** Contents by path relative to the root. */
  readonly sources: ReadonlyMap<string, string>;
  readonly tests: ReadonlyMap<string, string>;
  readonly evidence: Evidence;
}

/** Every single-line edit that could be the fix, the likeliest first. */
export function findCandidates(input: CandidateInput): readonly Candidate[] {
  // Carriage returns would not survive a patch made of lines.
  const sources = [...input.sources]
    .filter(([, text]) => !text.includes('\r'))
    .map(([path, text]) => readSource(path, text));
  const identifiers = countIdentifiers([...input.sources.values(), ...input.tests.values()]);
  const focus = findFocus(sources, input);
  const ranked: { readonly candidate: Candidate; readonly score: number }[] = [];
  for (const source of sources) {
    for (const strategy of STRATEGIES) {
      for (const proposal of strategy({ source, evidence: input.evidence, identifiers })) {
        const { lineIndex, after, weight, reason } = proposal;
        const score = weight + focusBonus(source, lineIndex, focus) + frameBonus(source, lineIndex, input.evidence);
        ranked.push({ candidate: { path: source.path, lines: source.lines, lineIndex, after, reason }, score });
      }
    }
  }
  ranked.sort((left, right) => right.score - left.score);
  const seen = new Set<string>();
  return ranked.flatMap(({ candidate }) => {
    const key = `${candidate.path}:${candidate.lineIndex}:${candidate.after}`;
    if (seen.has(key) || candidate.after === candidate.lines[candidate.lineIndex]) return [];
    seen.add(key);
    return [candidate];
  });
}

function countIdentifiers(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const match of text.matchAll(/[A-Za-z_$][\w$]*/g)) counts.set(match[0], (counts.get(match[0]) ?? 0) + 1);
  }
  return counts;
}

/** Functions the failing tests call, and functions those call, each with a bonus. */
function findFocus(sources: readonly SourceFile[], input: CandidateInput): ReadonlyMap<string, number> {
  const focus = new Map<string, number>();
  const names = sources.flatMap((source) => source.functions.map((span) => span.name));
  const wanted = [...input.tests.values()].map((text) => failingParts(text, input.evidence)).join('\n');
  for (const name of names) if (mentions(wanted, name)) focus.set(name, 40);
  for (let bonus = 30; bonus >= 10; bonus -= 10) {
    for (const source of sources) {
      for (const span of source.functions) {
        if (focus.get(span.name) !== bonus + 10) continue;
        const body = source.code.slice(span.firstLine, span.lastLine + 1).join('\n');
        for (const name of names) if (!focus.has(name) && mentions(body, name)) focus.set(name, bonus);
      }
    }
  }
  return focus;
}

/** The text of the tests whose titles failed; the whole file when none is found in it. */
function failingParts(text: string, evidence: Evidence): string {
  const parts = text.split(/^(?=\s*(?:await )?(?:test|it)\()/m);
  const failing = parts.filter((part) => evidence.failures.some((title) => part.slice(0, 300).includes(title)));
  return failing.join('\n');
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`).test(text);
}

function focusBonus(source: SourceFile, lineIndex: number, focus: ReadonlyMap<string, number>): number {
  let bonus = 0;
  for (const span of source.functions) {
    if (lineIndex >= span.firstLine && lineIndex <= span.lastLine) bonus = Math.max(bonus, focus.get(span.name) ?? 0);
  }
  return bonus;
}

function frameBonus(source: SourceFile, lineIndex: number, evidence: Evidence): number {
  const isNamed = evidence.frames.some(
    (frame) => frame.line === lineIndex + 1 && frame.path.endsWith(`/${source.path}`),
  );
  return isNamed ? 30 : 0;
}
