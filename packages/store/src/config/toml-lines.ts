/** Where settings stand in a TOML text. Made for texts that the parser has taken: it does not look for mistakes. */

/** By the path of table or setting, see `lineKey`. */
export type TomlLines = ReadonlyMap<string, LineRange>;

/** 1-based, both inclusive. Of a table only its header. */
export interface LineRange {
  readonly first: number;
  readonly last: number;
}

const OPENING = '[{';
const CLOSING = ']}';
const BASIC_ESCAPE = 92;

export function findTomlLines(text: string): TomlLines {
  const lines = new Map<string, LineRange>();
  const note = (path: readonly string[], range: LineRange): void => {
    for (let length = 1; length <= path.length; length += 1) {
      const key = lineKey(path.slice(0, length));
      if (!lines.has(key)) lines.set(key, range);
    }
  };
  let table: readonly string[] = [];
  const scanner = new Scanner(text);
  while (scanner.skipToStatement()) {
    const first = scanner.line;
    if (scanner.takes('[')) {
      scanner.takes('[');
      table = scanner.keyPath(']');
      note(table, { first, last: first });
      scanner.skipLine();
    } else {
      const path = [...table, ...scanner.keyPath('=')];
      scanner.skipValue();
      note(path, { first, last: scanner.line });
    }
  }
  return lines;
}

/** The line of the setting, or of the innermost table or inline table around it that has one. */
export function lineOfPath(lines: TomlLines, path: readonly string[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const range = lines.get(lineKey(path.slice(0, length)));
    if (range !== undefined) return range.first;
  }
  return undefined;
}

/** The text without the lines of a setting; the text itself when the setting has none of its own. */
export function withoutTomlLines(text: string, path: readonly string[]): string {
  const range = findTomlLines(text).get(lineKey(path));
  if (range === undefined) return text;
  return text
    .split('\n')
    .filter((_, index) => index + 1 < range.first || index + 1 > range.last)
    .join('\n');
}

function lineKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

class Scanner {
  line = 1;
  #index = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Passes over blank lines and comments. `false` at the end of the text. */
  skipToStatement(): boolean {
    for (; this.#index < this.#text.length; this.#step()) {
      const character = this.#text[this.#index] ?? '';
      if (character === '#') this.skipLine();
      else if (character.trim() !== '' && character !== '\uFEFF') return true;
    }
    return false;
  }

  takes(character: string): boolean {
    if (this.#text[this.#index] !== character) return false;
    this.#step();
    return true;
  }

  /** The names up to `end`, which is taken too. */
  keyPath(end: ']' | '='): readonly string[] {
    const names: string[] = [];
    let bare = '';
    for (; this.#index < this.#text.length; this.#step()) {
      const character = this.#text[this.#index] ?? '';
      if (character === '"' || character === "'") {
        names.push(this.#quotedName());
        continue;
      }
      if (character !== end && character !== '.' && character !== '\n') {
        bare += character;
        continue;
      }
      if (bare.trim() !== '') names.push(bare.trim());
      bare = '';
      if (character === '.') continue;
      this.#step();
      break;
    }
    return names;
  }

  /** To the end of the value: of the line, unless brackets or strings go on beyond it. */
  skipValue(): void {
    let depth = 0;
    for (; this.#index < this.#text.length; this.#step()) {
      const character = this.#text[this.#index] ?? '';
      if (character === '\n' && depth === 0) return;
      if (character === '#') this.skipLine();
      else if (character === '"' || character === "'") this.#skipString();
      else if (OPENING.includes(character)) depth += 1;
      else if (CLOSING.includes(character)) depth -= 1;
      if (this.#text[this.#index] === '\n' && depth === 0) return;
    }
  }

  /** To the line feed, which is not taken. */
  skipLine(): void {
    const end = this.#text.indexOf('\n', this.#index);
    this.#index = end === -1 ? this.#text.length : end;
  }

  #quotedName(): string {
    const start = this.#index;
    this.#skipString();
    const raw = this.#text.slice(start, this.#index + 1);
    if (raw.startsWith("'")) return raw.slice(1, -1);
    try {
      return String(JSON.parse(raw));
    } catch {
      return raw.slice(1, -1); // an escape that only TOML has
    }
  }

  /** From the opening quote to the last closing one. */
  #skipString(): void {
    const quote = this.#text[this.#index] ?? '"';
    const triple = quote.repeat(3);
    const delimiter = this.#text.startsWith(triple, this.#index) ? triple : quote;
    for (let count = 0; count < delimiter.length; count += 1) this.#step();
    while (this.#index < this.#text.length && !this.#text.startsWith(delimiter, this.#index)) {
      if (quote === '"' && this.#text.charCodeAt(this.#index) === BASIC_ESCAPE) this.#step();
      this.#step();
    }
    for (let count = 1; count < delimiter.length; count += 1) this.#step();
    // Up to two quotes more may stand at the end of a long string.
    while (delimiter.length === 3 && this.#text[this.#index + 1] === quote) this.#step();
  }

  #step(): void {
    if (this.#text[this.#index] === '\n') this.line += 1;
    this.#index += 1;
  }
}
