import { classEscape, PatternError, readClass, readUnicodeName } from './pattern-class.ts';
import { PatternReader } from './pattern-reader.ts';

/** What a line is tested with. */
export interface LinePattern {
  /** For a line without its end. */
  readonly source: string;
  readonly flags: string;
  /** Present: the pattern is just this text. */
  readonly literal: string | undefined;
}

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ASSERTIONS: Readonly<Record<string, string>> = {
  A: '^',
  z: '$',
  b: `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`,
  B: `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`,
  '<': `(?:(?<!${WORD})(?=${WORD}))`,
  '>': `(?:(?<=${WORD})(?!${WORD}))`,
};
/** What means the same in JavaScript. */
const ATOMS: ReadonlySet<string> = new Set(['.', '^', '$']);
const QUANTIFIERS: ReadonlySet<string> = new Set(['*', '+', '?']);
/** Flags that change nothing about whether a single line matches. */
const IDLE_FLAGS = new Set(['m', 's', 'u', 'U', 'R']);

/**
 * A pattern in ripgrep's syntax as an expression of JavaScript that matches the same lines.
 * Throws `PatternError` for what is wrong in ripgrep's syntax, and for what JavaScript can not say.
 * Source: the documentation of the crate `regex`.
 */
export function translatePattern(pattern: string): LinePattern {
  if (pattern.includes('\n')) throw newlineError();
  const { text, ignoresCase } = readLeadingFlags(pattern);
  const translator = new Translator(text, { ignoresCase });
  const source = translator.translate();
  const flags = ignoresCase ? 'isv' : 'sv';
  try {
    new RegExp(source, flags);
  } catch (error) {
    throw new PatternError(
      `this pattern is beyond the built-in search (${String(error)}); simplify it, or install ripgrep`,
    );
  }
  return { source, flags, literal: ignoresCase ? undefined : translator.literal };
}

function readLeadingFlags(pattern: string): { readonly text: string; readonly ignoresCase: boolean } {
  const flags = /^\(\?([a-zA-Z]+)\)/.exec(pattern)?.[1];
  if (flags === undefined) return { text: pattern, ignoresCase: false };
  for (const flag of flags) if (flag !== 'i' && !IDLE_FLAGS.has(flag)) throw flagError(flag);
  return { text: pattern.slice(flags.length + 3), ignoresCase: flags.includes('i') };
}

function flagError(flag: string): PatternError {
  return new PatternError(
    flag === 'i'
      ? 'the built-in search takes the flag `i` only as `(?i)` at the very beginning, for the whole pattern'
      : `the flag \`${flag}\` is beyond the built-in search`,
  );
}

function newlineError(): PatternError {
  return new PatternError('a pattern can not hold a newline: it is matched against single lines');
}

interface OpenGroup {
  /** Where the text of the group begins in the output. */
  readonly start: number;
}

/** The atom that a repetition would apply to begins here. */
type AtomStart = number | undefined;

class Translator {
  readonly #reader: PatternReader;
  readonly #ignoresCase: boolean;
  readonly #groups: OpenGroup[] = [];
  #source = '';
  #literal: string | undefined = '';
  #atomStart: AtomStart;

  constructor(text: string, { ignoresCase }: { readonly ignoresCase: boolean }) {
    this.#reader = new PatternReader(text);
    this.#ignoresCase = ignoresCase;
  }

  get literal(): string | undefined {
    return this.#literal;
  }

  translate(): string {
    for (let character = this.#reader.next(); character !== undefined; character = this.#reader.next()) {
      this.#take(character);
    }
    if (this.#groups.length > 0) throw new PatternError('unclosed group');
    return this.#source;
  }

  #take(character: string): void {
    if (character === '\\') this.#takeEscape();
    else if (ATOMS.has(character)) this.#takeAtom(character);
    else if (character === '[') this.#takeAtom(readClass(this.#reader));
    else if (character === '(') this.#openGroup();
    else if (character === ')') this.#closeGroup();
    else if (character === '|') this.#takeChoice();
    else if (QUANTIFIERS.has(character)) this.#repeat(character);
    else if (character === '{') this.#repeat(this.#readCount());
    else this.#takeLiteral(character);
  }

  #takeChoice(): void {
    this.#literal = undefined;
    this.#source += '|';
    this.#atomStart = undefined;
  }

  #takeAtom(source: string): void {
    this.#literal = undefined;
    this.#atomStart = this.#source.length;
    this.#source += source;
  }

  #takeLiteral(character: string): void {
    const literal = this.#literal;
    this.#takeAtom(escapeLiteral(character));
    if (literal !== undefined) this.#literal = literal + character;
  }

  /** Always around a group: of what may be repeated JavaScript takes less. */
  #repeat(quantifier: string): void {
    if (this.#atomStart === undefined) throw new PatternError('repetition operator missing expression');
    const atom = this.#source.slice(this.#atomStart);
    const lazy = this.#reader.accept('?') ? '?' : '';
    this.#literal = undefined;
    this.#source = `${this.#source.slice(0, this.#atomStart)}(?:${atom})${quantifier}${lazy}`;
  }

  #readCount(): string {
    const count = this.#reader.acceptPattern(/^\s*(\d*)\s*(,?)\s*(\d*)\s*\}/);
    const [, min = '', comma = '', max = ''] = count ?? [];
    if (count === undefined || (min === '' && max === '')) throw new PatternError('invalid counted repetition');
    if (max !== '' && Number(min) > Number(max)) throw new PatternError('invalid repetition count range');
    return `{${min === '' ? 0 : min}${comma}${max}}`;
  }

  #openGroup(): void {
    this.#literal = undefined;
    this.#groups.push({ start: this.#source.length });
    this.#source += '(?:';
    this.#atomStart = undefined;
    if (!this.#reader.accept('?')) return;
    if (this.#reader.acceptPattern(/^<?[=!]/) !== undefined) {
      throw new PatternError('look-around, including look-ahead and look-behind, is not supported');
    }
    if (this.#reader.acceptPattern(/^P?<[\p{L}_][\p{L}\p{N}_.[\]]*>/u) !== undefined) return;
    const flags = this.#reader.acceptPattern(/^([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/);
    if (flags === undefined) throw new PatternError('unrecognized group or flag');
    const [, on = '', off = '', end] = flags;
    for (const flag of on) if (flag === 'i' ? !this.#ignoresCase : !IDLE_FLAGS.has(flag)) throw flagError(flag);
    for (const flag of off) if (flag === 'u' || (flag === 'i' && this.#ignoresCase)) throw flagError(`-${flag}`);
    if (end === ')') this.#closeGroup();
  }

  #closeGroup(): void {
    const group = this.#groups.pop();
    if (group === undefined) throw new PatternError('unopened group');
    this.#literal = undefined;
    this.#source += ')';
    this.#atomStart = group.start;
  }

  #takeEscape(): void {
    const character = this.#reader.next();
    if (character === undefined) throw new PatternError('incomplete escape sequence at the end of the pattern');
    if (character === 'n') throw newlineError();
    if (/[0-9]/.test(character)) throw new PatternError('backreferences are not supported');
    const assertion = ASSERTIONS[this.#assertionName(character)];
    if (assertion !== undefined) {
      this.#takeAtom(assertion);
    } else if (character === 'p' || character === 'P') {
      this.#takeAtom(readUnicodeName(this.#reader, character));
    } else {
      const escaped = classEscape(this.#reader, character);
      if (escaped.kind === 'set') this.#takeAtom(escaped.source);
      else this.#takeLiteral(escaped.character);
    }
  }

  /** `\b{start}` and `\b{end}` are other names of `\<` and `\>`. */
  #assertionName(character: string): string {
    const word = character === 'b' ? this.#reader.acceptPattern(/^\{(start|end)\}/)?.[1] : undefined;
    if (word === undefined) return character;
    return word === 'start' ? '<' : '>';
  }
}

function escapeLiteral(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
