import { RulesError, type RulesPlace } from './rules-error.ts';
import { type RulesToken, tokenizeRules } from './tokenize-rules.ts';

/** A value of the language, with the place where it stands. */
export type RulesValue = { readonly place: RulesPlace } & (
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly RulesValue[] }
  | { readonly kind: 'boolean' | 'number' | 'none' }
);

export interface RulesArgument {
  /** Absent: by position. */
  readonly name: string | undefined;
  readonly value: RulesValue;
  readonly place: RulesPlace;
}

export interface RulesCall {
  readonly name: string;
  readonly arguments: readonly RulesArgument[];
  readonly place: RulesPlace;
}

const MAX_DEPTH = 20;
const CONSTANTS: Readonly<Record<string, 'boolean' | 'none'>> = { True: 'boolean', False: 'boolean', None: 'none' };

/**
 * The calls of a rules file in their order. Understood are calls with strings, lists, `True`, `False` and numbers,
 * sums of strings or lists, and names that were given a value before. @throws RulesError 'syntax'
 */
export function readCalls(text: string, source: string): readonly RulesCall[] {
  return new CallReader(tokenizeRules(text, source)).run();
}

class CallReader {
  readonly #tokens: readonly RulesToken[];
  readonly #values = new Map<string, RulesValue>();
  readonly #calls: RulesCall[] = [];
  #index = 0;

  constructor(tokens: readonly RulesToken[]) {
    this.#tokens = tokens;
  }

  run(): readonly RulesCall[] {
    while (this.#token.kind !== 'end') {
      if (this.#accept('newline') === undefined) this.#readStatement();
    }
    return this.#calls;
  }

  get #token(): RulesToken {
    const token = this.#tokens[this.#index] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('a list of tokens has an end');
    return token;
  }

  #accept(kind: RulesToken['kind']): RulesToken | undefined {
    const token = this.#token;
    if (token.kind !== kind) return undefined;
    this.#index += 1;
    return token;
  }

  #expect(kind: RulesToken['kind'], where: string): RulesToken {
    const token = this.#accept(kind);
    if (token !== undefined) return token;
    throw this.#error(`expected ${describe(kind)} ${where}, found ${found(this.#token)}`, this.#token);
  }

  #readStatement(): void {
    const token = this.#token;
    const next = this.#tokens[this.#index + 1];
    if (token.kind === 'name' && token.text === 'pass') this.#index += 1;
    else if (token.kind === 'name' && next?.kind === '=') {
      this.#index += 2;
      this.#values.set(token.text, this.#readValue(MAX_DEPTH));
    } else if (token.kind === 'name' && next?.kind === '(') {
      this.#index += 2;
      this.#calls.push({ name: token.text, arguments: this.#readArguments(), place: placeOf(token) });
    } else this.#readValue(MAX_DEPTH); // a string on its own is a note
    this.#expect('newline', 'behind this statement');
  }

  #readArguments(): readonly RulesArgument[] {
    const read: RulesArgument[] = [];
    while (this.#accept(')') === undefined) {
      const token = this.#token;
      const isNamed = token.kind === 'name' && this.#tokens[this.#index + 1]?.kind === '=';
      if (isNamed) this.#index += 2;
      const name = isNamed ? token.text : undefined;
      if (name === undefined && read.some((argument) => argument.name !== undefined)) {
        throw this.#error('an argument by position can not follow one by name; name it too', token);
      }
      if (read.some((argument) => name !== undefined && argument.name === name)) {
        throw this.#error(`the argument ${name} is given twice; keep one`, token);
      }
      read.push({ name, value: this.#readValue(MAX_DEPTH), place: placeOf(token) });
      if (this.#token.kind !== ')') this.#expect(',', 'between arguments, or a closing bracket');
    }
    return read;
  }

  #readValue(depth: number): RulesValue {
    let value = this.#readTerm(depth);
    for (let plus = this.#accept('+'); plus !== undefined; plus = this.#accept('+')) {
      const right = this.#readTerm(depth);
      if (value.kind === 'string' && right.kind === 'string') value = { ...value, text: value.text + right.text };
      else if (value.kind === 'list' && right.kind === 'list')
        value = { ...value, items: [...value.items, ...right.items] };
      else throw this.#error('only strings or lists can be added to each other', plus);
    }
    return value;
  }

  #readTerm(depth: number): RulesValue {
    const token = this.#token;
    const place = placeOf(token);
    if (depth === 0) throw this.#error('lists are nested too deeply', token);
    this.#index += 1;
    switch (token.kind) {
      case 'string':
        return { kind: 'string', text: token.text, place };
      case 'number':
        return { kind: 'number', place };
      case '[':
        return { kind: 'list', items: this.#readItems(depth), place };
      case '(': {
        const value = this.#readValue(depth - 1);
        this.#expect(')', 'behind the value in brackets');
        return value;
      }
      case 'name':
        return this.#namedValue(token);
      default:
        throw this.#error(`expected a value, found ${found(token)}`, token);
    }
  }

  #readItems(depth: number): readonly RulesValue[] {
    const items: RulesValue[] = [];
    while (this.#accept(']') === undefined) {
      items.push(this.#readValue(depth - 1));
      if (this.#token.kind !== ']') this.#expect(',', 'between the items of a list, or a closing bracket');
    }
    return items;
  }

  #namedValue(token: RulesToken): RulesValue {
    const constant = Object.hasOwn(CONSTANTS, token.text) ? CONSTANTS[token.text] : undefined;
    if (constant !== undefined) return { kind: constant, place: placeOf(token) };
    const value = this.#values.get(token.text);
    if (value !== undefined) return { ...value, place: placeOf(token) };
    throw this.#error(`the name ${token.text} has no value; put text in quotes, or give it a value above`, token);
  }

  #error(problem: string, token: RulesToken): RulesError {
    return new RulesError('syntax', problem, placeOf(token));
  }
}

function placeOf({ source, line, column }: RulesPlace): RulesPlace {
  return { source, line, column };
}

function describe(kind: RulesToken['kind']): string {
  return kind === 'newline' ? 'the end of the line' : `\`${kind}\``;
}

function found(token: RulesToken): string {
  if (token.kind === 'end') return 'the end of the file';
  if (token.kind === 'newline') return token.text === ';' ? '`;`' : 'the end of the line';
  return token.kind === 'string' ? 'a string' : `\`${token.text}\``;
}
