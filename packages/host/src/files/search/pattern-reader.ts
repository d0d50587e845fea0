/** Goes through a pattern, one character at a time. */
export class PatternReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): string | undefined {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return undefined;
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  /** Whether `text` stands here; it is passed if it does. */
  accept(text: string): boolean {
    const isHere = this.isAt(text);
    if (isHere) this.#at += text.length;
    return isHere;
  }

  isAt(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  /** What `expression`, which begins with `^`, matches here; it is passed. */
  acceptPattern(expression: RegExp): RegExpExecArray | undefined {
    const match = expression.exec(this.#text.slice(this.#at)) ?? undefined;
    this.#at += match?.[0].length ?? 0;
    return match;
  }
}
