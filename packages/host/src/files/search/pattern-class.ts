import type { PatternReader } from './pattern-reader.ts';

/** A pattern that can not be searched for. The message is for the model. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
  readonly code = 'pattern-invalid';
}

/** An escape inside or outside of a class. */
export type ClassEscape =
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'character'; readonly character: string };

const SETS: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  s: '\\p{White_Space}',
  S: '\\P{White_Space}',
  w: '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]',
  W: '[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]',
};
const CONTROLS: Readonly<Record<string, string>> = { t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' };
const CODE_POINT: Readonly<Record<string, RegExp>> = {
  x: /^(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/,
  u: /^(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))/,
  U: /^(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{8}))/,
};
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
/** `[:alpha:]` and `[:^alpha:]`, without the first bracket. With another name it is a class like any other. */
const POSIX_NAME = new RegExp(`^:(\\^?)(${Object.keys(POSIX).join('|')}):\\]`);

/** `\d`, `\x41`, `\.` and the like, without `\p`; the letter was read. */
export function classEscape(reader: PatternReader, letter: string): ClassEscape {
  const source = SETS[letter];
  if (source !== undefined) return { kind: 'set', source };
  const control = CONTROLS[letter];
  if (control !== undefined) return { kind: 'character', character: control };
  const form = CODE_POINT[letter];
  if (form !== undefined) {
    const match = reader.acceptPattern(form);
    const code = Number.parseInt(match?.[1] ?? match?.[2] ?? '', 16);
    if (Number.isNaN(code) || code > 0x10ffff) throw new PatternError(`invalid hexadecimal escape \\${letter}`);
    return { kind: 'character', character: String.fromCodePoint(code) };
  }
  if (/[!-/:-@[-`{-~]/.test(letter)) return { kind: 'character', character: letter };
  throw new PatternError(`unrecognized escape sequence \\${letter}`);
}

/** The rest of `\pL`, `\p{Greek}`, `\p{scx=Latin}`. */
export function readUnicodeName(reader: PatternReader, letter: 'p' | 'P'): string {
  const match = reader.acceptPattern(/^(?:\{([^}]+)\}|([A-Za-z]))/);
  const name = match?.[1] ?? match?.[2];
  if (name === undefined) throw new PatternError('invalid Unicode class');
  const [, key, value] = /^([^=:]+)[=:](.+)$/.exec(name) ?? [];
  const spelled = name.charAt(0).toUpperCase() + name.slice(1).toLowerCase();
  const candidates = key === undefined ? [name, spelled, `Script=${name}`, `Script=${spelled}`] : [`${key}=${value}`];
  const known = candidates.find(isUnicodeName);
  if (known === undefined) throw new PatternError(`Unicode property not found: ${name}`);
  return `\\${letter}{${known}}`;
}

function isUnicodeName(name: string): boolean {
  try {
    new RegExp(`\\p{${name}}`, 'v');
    return true;
  } catch {
    return false;
  }
}

/** The rest of a class, whose bracket was read. */
export function readClass(reader: PatternReader): string {
  const negation = reader.accept('^') ? '^' : '';
  let members = reader.accept(']') ? '\\]' : '';
  let left: string | undefined;
  for (;;) {
    const operator = readOperator(reader);
    if (operator !== undefined) {
      // Several in a row are taken from the left.
      left = (left === undefined ? `[${members}]` : `[${left}[${members}]]`) + operator;
      members = '';
      continue;
    }
    const character = reader.next();
    if (character === undefined) throw new PatternError('unclosed character class');
    if (character === ']') return `[${negation}${left === undefined ? members : `${left}[${members}]`}]`;
    members += readMember(reader, character);
  }
}

function readOperator(reader: PatternReader): '&&' | '--' | undefined {
  if (reader.isAt('~~')) throw new PatternError('`~~` in a class is beyond the built-in search');
  if (reader.accept('&&')) return '&&';
  return reader.accept('--') ? '--' : undefined;
}

function readMember(reader: PatternReader, character: string): string {
  if (character === '[') {
    const posix = reader.acceptPattern(POSIX_NAME);
    return posix === undefined ? readClass(reader) : `[${posix[1]}${POSIX[posix[2] ?? '']}]`;
  }
  const from = readEnd(reader, character);
  if (from.kind === 'set') return from.source;
  const isRange = reader.isAt('-') && !reader.isAt('-]') && !reader.isAt('--');
  if (!isRange) return escapeMember(from.character);
  reader.accept('-');
  const to = readEnd(reader, reader.next());
  if (to.kind === 'set') throw new PatternError('invalid range in a character class');
  if ((from.character.codePointAt(0) ?? 0) > (to.character.codePointAt(0) ?? 0)) {
    throw new PatternError('invalid character class range: the first is behind the last');
  }
  return `${escapeMember(from.character)}-${escapeMember(to.character)}`;
}

function readEnd(reader: PatternReader, character: string | undefined): ClassEscape {
  if (character === undefined) throw new PatternError('unclosed character class');
  if (character !== '\\') return { kind: 'character', character };
  const letter = reader.next();
  if (letter === undefined) throw new PatternError('unclosed character class');
  if (letter === 'n') return { kind: 'character', character: '\n' };
  if (letter === 'p' || letter === 'P') return { kind: 'set', source: readUnicodeName(reader, letter) };
  return classEscape(reader, letter);
}

/** For the flag `v`, under which most punctuation in a class has a meaning. */
function escapeMember(character: string): string {
  return /[!-/:-@[-`{-~]/.test(character) ? `\\x${character.charCodeAt(0).toString(16)}` : character;
}
