/** Lines `beforeStart..beforeEnd` of the old text became lines `afterStart..afterEnd` of the new one. Ends are exclusive. */
export interface LineChange {
  readonly beforeStart: number;
  readonly beforeEnd: number;
  readonly afterStart: number;
  readonly afterEnd: number;
}

/** Edit distance up to which one range is compared exactly. Bounds memory: at most this squared, in integers. */
const MAX_EDIT_DISTANCE = 800;
/** Line comparisons spent on one exact comparison before it is given up. */
const MAX_COMPARISONS = 10_000_000;

/** The lines of `text` with their endings; the last one may lack it. */
export function splitLines(text: string): readonly string[] {
  const lines: string[] = [];
  let start = 0;
  while (start < text.length) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found + 1;
    lines.push(text.slice(start, end));
    start = end;
  }
  return lines;
}

/**
 * What changed between two lists of lines, in order, with at least one common line between changes.
 *
 * Cost is bounded: minimal where few lines differ; beyond that the range is divided at lines that occur
 * once on both sides; a part where that does not help either counts as replaced whole.
 */
export function diffLines(before: readonly string[], after: readonly string[]): readonly LineChange[] {
  const ids = new Map<string, number>();
  const a = toIds(before, ids);
  const b = toIds(after, ids);
  const changes: LineChange[] = [];
  const whole = trimCommon(a, b, { aStart: 0, aEnd: a.length, bStart: 0, bEnd: b.length });
  const exact = diffExactly(a, b, whole);
  if (exact !== undefined) return exact;
  for (const part of divideAtUniqueLines(a, b, whole)) {
    const trimmed = trimCommon(a, b, part);
    changes.push(...(diffExactly(a, b, trimmed) ?? [toChange(trimmed)]));
  }
  return changes;
}

interface Range {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

function toIds(lines: readonly string[], ids: Map<string, number>): Int32Array {
  const result = new Int32Array(lines.length);
  for (const [index, line] of lines.entries()) {
    const known = ids.get(line);
    const id = known ?? ids.size;
    if (known === undefined) ids.set(line, id);
    result[index] = id;
  }
  return result;
}

function toChange(range: Range): LineChange {
  return { beforeStart: range.aStart, beforeEnd: range.aEnd, afterStart: range.bStart, afterEnd: range.bEnd };
}

function trimCommon(a: Int32Array, b: Int32Array, range: Range): Range {
  let { aStart, aEnd, bStart, bEnd } = range;
  while (aStart < aEnd && bStart < bEnd && a[aStart] === b[bStart]) {
    aStart++;
    bStart++;
  }
  while (aStart < aEnd && bStart < bEnd && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd--;
    bEnd--;
  }
  return { aStart, aEnd, bStart, bEnd };
}

/** Greedy shortest edit script (Myers 1986); `undefined` when it would exceed the bounds. */
function diffExactly(a: Int32Array, b: Int32Array, range: Range): readonly LineChange[] | undefined {
  const { aStart, bStart } = range;
  const n = range.aEnd - aStart;
  const m = range.bEnd - bStart;
  if (n === 0 || m === 0) return n + m === 0 ? [] : [toChange(range)];
  const limit = Math.min(n + m, MAX_EDIT_DISTANCE);
  const furthest = new Int32Array(2 * limit + 3);
  const origin = limit + 1;
  const trace: Int32Array[] = [];
  let comparisons = 0;
  for (let distance = 0; distance <= limit; distance++) {
    trace.push(furthest.slice(origin - distance - 1, origin + distance + 2));
    for (let diagonal = -distance; diagonal <= distance; diagonal += 2) {
      const left = furthest[origin + diagonal - 1] ?? 0;
      const right = furthest[origin + diagonal + 1] ?? 0;
      const isInsertion = diagonal === -distance || (diagonal !== distance && left < right);
      let x = isInsertion ? right : left + 1;
      const reached = x;
      while (x < n && x - diagonal < m && a[aStart + x] === b[bStart + x - diagonal]) x++;
      comparisons += x - reached + 1;
      furthest[origin + diagonal] = x;
      if (x >= n && x - diagonal >= m) return backtrack(trace, { n, m, aStart, bStart });
    }
    if (comparisons > MAX_COMPARISONS) return undefined;
  }
  return undefined;
}

/** `trace[d]` holds, for diagonals -d-1 to d+1, how far paths of distance d-1 reached. */
function backtrack(
  trace: readonly Int32Array[],
  range: { readonly n: number; readonly m: number; readonly aStart: number; readonly bStart: number },
): readonly LineChange[] {
  const { aStart, bStart } = range;
  const changes: LineChange[] = [];
  let x = range.n;
  let y = range.m;
  for (let distance = trace.length - 1; distance > 0; distance--) {
    const reached = trace[distance] ?? new Int32Array();
    const at = (diagonal: number): number => reached[diagonal + distance + 1] ?? 0;
    const diagonal = x - y;
    const isInsertion = diagonal === -distance || (diagonal !== distance && at(diagonal - 1) < at(diagonal + 1));
    const fromDiagonal = isInsertion ? diagonal + 1 : diagonal - 1;
    const fromX = at(fromDiagonal);
    const fromY = fromX - fromDiagonal;
    const toX = isInsertion ? fromX : fromX + 1;
    const toY = isInsertion ? fromY + 1 : fromY;
    const step = {
      beforeStart: aStart + fromX,
      beforeEnd: aStart + toX,
      afterStart: bStart + fromY,
      afterEnd: bStart + toY,
    };
    const next = changes.at(-1);
    if (next !== undefined && next.beforeStart === step.beforeEnd && next.afterStart === step.afterEnd) {
      changes[changes.length - 1] = { ...next, beforeStart: step.beforeStart, afterStart: step.afterStart };
    } else {
      changes.push(step);
    }
    x = fromX;
    y = fromY;
  }
  return changes.reverse();
}

/** The ranges between lines that occur exactly once on both sides and in the same order. */
function divideAtUniqueLines(a: Int32Array, b: Int32Array, range: Range): readonly Range[] {
  const parts: Range[] = [];
  let { aStart, bStart } = range;
  for (const anchor of increasingAnchors(uniquePairs(a, b, range))) {
    parts.push({ aStart, aEnd: anchor.a, bStart, bEnd: anchor.b });
    aStart = anchor.a + 1;
    bStart = anchor.b + 1;
  }
  parts.push({ aStart, aEnd: range.aEnd, bStart, bEnd: range.bEnd });
  return parts;
}

interface Pair {
  readonly a: number;
  readonly b: number;
}

function uniquePairs(a: Int32Array, b: Int32Array, range: Range): readonly Pair[] {
  const placesInB = uniquePlaces(b, range.bStart, range.bEnd);
  const pairs: Pair[] = [];
  for (const [id, place] of uniquePlaces(a, range.aStart, range.aEnd)) {
    const other = placesInB.get(id);
    if (other !== undefined && other !== REPEATED && place !== REPEATED) pairs.push({ a: place, b: other });
  }
  return pairs;
}

const REPEATED = -1;

/** Place of each line id in order of first occurrence; `REPEATED` when it occurs again. */
function uniquePlaces(ids: Int32Array, start: number, end: number): Map<number, number> {
  const places = new Map<number, number>();
  for (let index = start; index < end; index++) {
    const id = ids[index] ?? 0;
    places.set(id, places.has(id) ? REPEATED : index);
  }
  return places;
}

/** The longest subsequence of `pairs` (sorted by `a`) in which `b` rises too: patience sorting. */
function increasingAnchors(pairs: readonly Pair[]): readonly Pair[] {
  const tops: number[] = [];
  const previous: number[] = [];
  for (const [index, pair] of pairs.entries()) {
    let low = 0;
    let high = tops.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const top = pairs[tops[middle] ?? 0];
      if (top !== undefined && top.b < pair.b) low = middle + 1;
      else high = middle;
    }
    previous.push(low === 0 ? -1 : (tops[low - 1] ?? -1));
    tops[low] = index;
  }
  const anchors: Pair[] = [];
  for (let index = tops.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) {
    const pair = pairs[index];
    if (pair !== undefined) anchors.push(pair);
  }
  return anchors.reverse();
}
