/** Globs with the meaning that ripgrep gives them, in ignore files and on its command line. */

export class GlobError extends Error {
  override readonly name = 'GlobError';
  readonly code = 'glob-invalid';
}

/**
 * The expression that matches the whole of a relative path. `*` and `?` match no `/`.
 * Source: the documentation of the crate `globset`.
 */
export function globToRegExp(glob: string): RegExp {
  return new RegExp(`^${new GlobReader(glob).read()}$`, 'su');
}

class GlobReader {
  readonly #glob: string;
  #at = 0;
  #depth = 0;

  constructor(glob: string) {
    this.#glob = glob;
  }

  read(): string {
    let source = '';
    while (this.#at < this.#glob.length) source += this.#readToken();
    if (this.#depth > 0) throw new GlobError(`unclosed \`{\` in ${this.#glob}`);
    return source;
  }

  #readToken(): string {
    const character = String.fromCodePoint(this.#glob.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    switch (character) {
      case '*':
        return this.#readStars();
      case '?':
        return '[^/]';
      case '[':
        return this.#readClass();
      case '\\':
        return this.#readEscaped();
      case '{':
        this.#depth += 1;
        return '(?:';
      case '}':
        if (this.#depth === 0) throw new GlobError(`unopened \`}\` in ${this.#glob}`);
        this.#depth -= 1;
        return ')';
      case ',':
        return this.#depth > 0 ? '|' : ',';
      default:
        return escapeForRegExp(character);
    }
  }

  /** Two stars that are a whole part of the path stand for any number of folders. */
  #readStars(): string {
    const start = this.#at - 1;
    while (this.#glob[this.#at] === '*') this.#at += 1;
    const opens = start === 0 || this.#glob[start - 1] === '/';
    const isFolders = this.#at - start === 2 && opens;
    if (isFolders && this.#at === this.#glob.length) return '.*';
    if (!isFolders || this.#glob[this.#at] !== '/') return '[^/]*';
    this.#at += 1;
    return '(?:.*/)?';
  }

  #readEscaped(): string {
    const next = this.#glob.codePointAt(this.#at);
    if (next === undefined) throw new GlobError(`dangling \`\\\` in ${this.#glob}`);
    const character = String.fromCodePoint(next);
    this.#at += character.length;
    return escapeForRegExp(character);
  }

  #readClass(): string {
    const negated = this.#glob[this.#at] === '!' || this.#glob[this.#at] === '^';
    const start = negated ? this.#at + 1 : this.#at;
    const end = this.#glob.indexOf(']', start + 1); // a bracket that comes first is a member
    if (end === -1) throw new GlobError(`unclosed \`[\` in ${this.#glob}`);
    this.#at = end + 1;
    const members = [...this.#glob.slice(start, end)];
    const source = members
      .map((member, index) => {
        const isRange = member === '-' && index > 0 && index < members.length - 1;
        return isRange ? '-' : escapeForRegExp(member);
      })
      .join('');
    return `(?!/)[${negated ? '^' : ''}${source}]`;
  }
}

/** For the flag `u`, inside of a class and outside. */
function escapeForRegExp(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? (character === '-' ? '\\x2d' : `\\${character}`) : character;
}
