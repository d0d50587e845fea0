import { RulesError, type RulesPlace } from './rules-error.ts';

export type RulesToken = RulesPlace &
  (
    | { readonly kind: 'name'; readonly text: string }
    | { readonly kind: 'string'; readonly text: string }
    | { readonly kind: 'number'; readonly text: string }
    /** `newline` stands for `;` too. Line ends inside of brackets are none. */
    | { readonly kind: '(' | ')' | '[' | ']' | ',' | '=' | '+' | 'newline' | 'end'; readonly text: string }
  );

const BLANK = /[ \t\r]+|\\\r?\n|#[^\n]*/y;
const NAME = /[A-Za-z_]\w*/y;
const NUMBER = /[+-]?\d[\w.]*/y;
const QUOTE = /([rRbB]{0,2})('''|"""|'|")/y;
/** Words of the language beyond the part that rules need. */
const STATEMENTS = new Set('def for if elif else while load return lambda in and or not'.split(' '));
const SIGNS = '()[],=+';
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};
const CODE = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))/;

/** The tokens of a rules file: the part of Starlark that rules need. @throws RulesError 'syntax' */
export function tokenizeRules(text: string, source: string): readonly RulesToken[] {
  return new Tokenizer(text, source).run();
}

class Tokenizer {
  readonly #text: string;
  readonly #source: string;
  readonly #tokens: RulesToken[] = [];
  #index = 0;
  #line = 1;
  #lineStart = 0;
  #openBrackets = 0;

  constructor(text: string, source: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#source = source;
  }

  run(): readonly RulesToken[] {
    while (this.#index < this.#text.length) this.#readOne();
    this.#push({ kind: 'newline', text: '' }, this.#place());
    this.#push({ kind: 'end', text: '' }, this.#place());
    return this.#tokens;
  }

  #readOne(): void {
    if (this.#take(BLANK) !== undefined) return;
    const place = this.#place();
    const character = this.#text.charAt(this.#index);
    if (character === '\n' || character === ';') {
      if (this.#openBrackets === 0 || character === ';') this.#push({ kind: 'newline', text: character }, place);
      this.#advance(/* length */ 1);
      return;
    }
    const quote = this.#match(QUOTE);
    if (quote === undefined) this.#readPlain(character, place);
    else this.#readString(quote, place);
  }

  #readPlain(character: string, place: RulesPlace): void {
    const name = this.#take(NAME);
    if (name !== undefined && STATEMENTS.has(name)) {
      throw this.#error(`\`${name}\` is not supported in rules files; write the calls one by one`, place);
    }
    if (name !== undefined) {
      this.#push({ kind: 'name', text: name }, place);
      return;
    }
    const number = this.#take(NUMBER);
    if (number !== undefined) {
      this.#push({ kind: 'number', text: number }, place);
      return;
    }
    const next = this.#text.charAt(this.#index + 1);
    if (SIGNS.includes(character) && !(character === '=' && next === '=')) {
      if ('(['.includes(character)) this.#openBrackets += 1;
      if (')]'.includes(character)) this.#openBrackets = Math.max(0, this.#openBrackets - 1);
      this.#push({ kind: character as '(', text: character }, place); // one of SIGNS
      this.#advance(/* length */ 1);
      return;
    }
    throw this.#error(
      `${JSON.stringify(character)} is not understood; a rules file holds calls such as prefix_rule(pattern = ["git", "status"])`,
      place,
    );
  }

  #readString(quote: RegExpExecArray, place: RulesPlace): void {
    const [whole, prefix = '', mark = ''] = quote;
    if (/b/i.test(prefix)) throw this.#error('bytes are not understood; write the string without the b', place);
    const isRaw = /r/i.test(prefix);
    this.#advance(whole.length);
    const parts: string[] = [];
    for (;;) {
      const character = this.#text.charAt(this.#index);
      if (this.#text.startsWith(mark, this.#index)) break;
      if (character === '' || (character === '\n' && mark.length === 1)) {
        throw this.#error(`the string that begins here does not end; close it with ${mark}`, place);
      }
      if (character === '\\') parts.push(this.#readEscape({ isRaw }));
      else {
        parts.push(character);
        this.#advance(/* length */ 1);
      }
    }
    this.#advance(mark.length);
    this.#push({ kind: 'string', text: parts.join('') }, place);
  }

  #readEscape({ isRaw }: { readonly isRaw: boolean }): string {
    const place = this.#place();
    const next = this.#text.charAt(this.#index + 1);
    if (isRaw) {
      this.#advance(/* length */ 2);
      return `\\${next}`;
    }
    const simple = ESCAPES[next];
    if (simple !== undefined && Object.hasOwn(ESCAPES, next)) {
      this.#advance(/* length */ 2);
      return simple;
    }
    if (!/[xuU0-7]/.test(next)) {
      this.#advance(/* length */ 2);
      return `\\${next}`;
    }
    const code = CODE.exec(this.#text.slice(this.#index + 1, this.#index + 10));
    const digits = code?.[1] ?? code?.[2] ?? code?.[3] ?? code?.[4];
    const value = digits === undefined ? Number.NaN : Number.parseInt(digits, code?.[4] === undefined ? 16 : 8);
    if (code === null || !(value <= 0x10ffff)) {
      throw this.#error(`the escape \\${next} is not understood; write \\\\ for a backslash`, place);
    }
    this.#advance(1 + code[0].length);
    return String.fromCodePoint(value);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#index;
    return pattern.exec(this.#text) ?? undefined;
  }

  #take(pattern: RegExp): string | undefined {
    const text = this.#match(pattern)?.[0];
    if (text !== undefined) this.#advance(text.length);
    return text;
  }

  #advance(length: number): void {
    for (const end = this.#index + length; this.#index < end; this.#index += 1) {
      if (this.#text.charAt(this.#index) !== '\n') continue;
      this.#line += 1;
      this.#lineStart = this.#index + 1;
    }
  }

  #place(): RulesPlace {
    return { source: this.#source, line: this.#line, column: this.#index - this.#lineStart + 1 };
  }

  #push(token: { readonly kind: RulesToken['kind']; readonly text: string }, place: RulesPlace): void {
    this.#tokens.push({ ...token, ...place } as RulesToken); // the kinds differ in nothing else
  }

  #error(problem: string, place: RulesPlace): RulesError {
    return new RulesError('syntax', problem, place);
  }
}
