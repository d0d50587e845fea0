/** What a block around a line is: the rules of the indentation mode of `read_file`. Source: the peer. */

const TAB_WIDTH = 4;
const COMMENT_STARTS: readonly string[] = ['#', '//', '--'];

export interface IndentedLine {
  readonly number: number;
  readonly text: string;
  /** Columns. A blank line has that of the last line with content above it. */
  readonly indent: number;
}

/** Gives each line of a file its indent. Lines must come in order, from the first. */
export class IndentMeter {
  #number = 0;
  #indent = 0;

  measure(text: string): IndentedLine {
    this.#number += 1;
    if (!isBlank(text)) this.#indent = indentOf(text);
    return { number: this.#number, text, indent: this.#indent };
  }
}

export interface BlockRules {
  /** How many levels above that of the anchor belong to the block; 0: all. */
  readonly maxLevels: number;
  /** Blocks beside that of the anchor belong to it. */
  readonly includeSiblings: boolean;
  /** Comment lines above the line that opens the block belong to it. */
  readonly includeHeader: boolean;
  /** Lines, at least 1. */
  readonly limit: number;
}

/** Lines around the anchor; those that the limit can not reach need not be there. */
export interface Surroundings {
  /** In the order of the file. */
  readonly above: readonly IndentedLine[];
  readonly anchor: IndentedLine;
  /** In the order of the file. */
  readonly below: readonly IndentedLine[];
}

/** The block, in the order of the file, without blank lines at its ends. */
export function blockAround({ above, anchor, below }: Surroundings, rules: BlockRules): readonly IndentedLine[] {
  const limit = Math.min(rules.limit, above.length + 1 + below.length);
  if (rules.limit === 1) return [anchor];
  const lowest = rules.maxLevels === 0 ? 0 : Math.max(0, anchor.indent - rules.maxLevels * TAB_WIDTH);
  const upwards = new Growth(above.toReversed(), { lowest, rules, allowsComments: rules.includeHeader });
  const downwards = new Growth(below, { lowest, rules, allowsComments: false });
  for (let room = limit - 1; room > 0; ) {
    const before = room;
    for (const growth of [upwards, downwards]) if (room > 0 && growth.grow()) room -= 1;
    if (room === before) break;
  }
  return withoutBlankEnds([...upwards.taken.toReversed(), anchor, ...downwards.taken]);
}

interface GrowthRules {
  readonly lowest: number;
  readonly rules: BlockRules;
  readonly allowsComments: boolean;
}

/** One of the two directions. */
class Growth {
  readonly taken: IndentedLine[] = [];
  readonly #lines: readonly IndentedLine[];
  readonly #rules: GrowthRules;
  #hasLowest = false;
  #isOver = false;

  constructor(lines: readonly IndentedLine[], rules: GrowthRules) {
    this.#lines = lines;
    this.#rules = rules;
  }

  /** Takes one more line. `false`: the direction is over. */
  grow(): boolean {
    const line = this.#lines[this.taken.length];
    if (this.#isOver || line === undefined || !this.#belongs(line)) {
      this.#isOver = true;
      return false;
    }
    this.taken.push(line);
    return true;
  }

  #belongs({ text, indent }: IndentedLine): boolean {
    const { lowest, rules, allowsComments } = this.#rules;
    if (indent !== lowest || rules.includeSiblings) return indent >= lowest;
    const isFirst = !this.#hasLowest;
    this.#hasLowest = true;
    return isFirst || (allowsComments && isComment(text));
  }
}

function indentOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (character !== ' ' && character !== '\t') break;
    columns += character === '\t' ? TAB_WIDTH : 1;
  }
  return columns;
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function isComment(text: string): boolean {
  const content = text.trimStart();
  return COMMENT_STARTS.some((start) => content.startsWith(start));
}

function withoutBlankEnds(lines: readonly IndentedLine[]): readonly IndentedLine[] {
  const first = lines.findIndex(({ text }) => !isBlank(text));
  const last = lines.findLastIndex(({ text }) => !isBlank(text));
  return first === -1 ? [] : lines.slice(first, last + 1);
}
