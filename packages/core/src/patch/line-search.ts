/** How far a line of the file may differ from the patch's line, strictest first. */
const FORMS: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => line.trimEnd(),
  (line) => line.trim(),
  (line) => toAscii(line.trim()),
];

/**
 * Finds blocks of lines in one file. Each level of tolerance is tried over the whole range before the
 * next one. A level's index is built on first use, so a search costs what its rarest line costs and many
 * chunks on a large file stay linear.
 */
export class LineSearch {
  readonly #lines: readonly string[];
  readonly #levels: LineIndex[] = [];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /**
   * The first position at or after `from` where `block` stands; with `atEnd` only the last possible
   * position counts. An empty block stands everywhere.
   */
  find(block: readonly string[], options: { readonly from: number; readonly atEnd: boolean }): number | undefined {
    const last = this.#lines.length - block.length;
    const from = options.atEnd ? last : options.from;
    if (from < options.from || from > last) return undefined;
    if (block.length === 0) return from;
    for (const [level, form] of FORMS.entries()) {
      const found = this.#index(level, form).find(block.map(form), from);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #index(level: number, form: (line: string) => string): LineIndex {
    const index = this.#levels[level] ?? new LineIndex(this.#lines.map(form));
    this.#levels[level] = index;
    return index;
  }
}

class LineIndex {
  readonly #lines: readonly string[];
  readonly #positions = new Map<string, number[]>();

  constructor(lines: readonly string[]) {
    this.#lines = lines;
    for (const [position, line] of lines.entries()) {
      const positions = this.#positions.get(line);
      if (positions === undefined) this.#positions.set(line, [position]);
      else positions.push(position);
    }
  }

  find(block: readonly string[], from: number): number | undefined {
    const rarest = this.#rarest(block);
    if (rarest === undefined) return undefined;
    const { offset, positions } = rarest;
    for (let i = firstAtLeast(positions, from + offset); i < positions.length; i++) {
      const start = (positions[i] ?? 0) - offset;
      if (block.every((line, index) => this.#lines[start + index] === line)) return start;
    }
    return undefined;
  }

  #rarest(block: readonly string[]): { readonly offset: number; readonly positions: readonly number[] } | undefined {
    let rarest: { offset: number; positions: readonly number[] } | undefined;
    for (const [offset, line] of block.entries()) {
      const positions = this.#positions.get(line);
      if (positions === undefined) return undefined;
      if (rarest === undefined || positions.length < rarest.positions.length) rarest = { offset, positions };
    }
    return rarest;
  }
}

function firstAtLeast(sorted: readonly number[], minimum: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < minimum) low = middle + 1;
    else high = middle;
  }
  return low;
}

function toAscii(line: string): string {
  return line
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\u2018-\u201B]/g, "'")
    .replace(/[\u201C-\u201F]/g, '"')
    .replace(/[\u00A0\u2002-\u200A\u202F\u205F\u3000]/g, ' ');
}
