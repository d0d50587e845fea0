/** One command of a script: the program and its arguments, quotes removed. */
export interface SimpleCommand {
  readonly words: readonly string[];
  /** An unquoted `*`, `?`, `[` or `]` is among the words: what the program gets depends on the files there. */
  readonly hasGlob: boolean;
}

/** Words that begin a compound command, define something or change how the rest is read. */
const RESERVED_WORDS = new Set(
  (
    'if then elif else fi for foreach while until do done case esac in select function time coproc repeat end ' +
    'nocorrect noglob'
  ).split(' '),
);
const BARE_CHARACTER = /[A-Za-z0-9_@%+=:,./~-]|[\p{L}\p{N}\p{M}]/u;
const GLOB_CHARACTER = /[*?[\]]/;

/**
 * Splits a POSIX shell script that consists only of plain words joined by `&&`, `||`, `;`, `|` and line
 * ends into its commands.
 *
 * `undefined` when the script holds anything else: redirections, substitutions, variables, subshells, groups,
 * control flow, background jobs, assignments, comments, escapes outside double quotes, history or brace
 * expansion. So what is returned is all that the shell would run, in bash, zsh and sh alike.
 */
export function splitCommand(script: string): readonly SimpleCommand[] | undefined {
  const commands: SimpleCommand[] = [];
  let words: Word[] = [];
  let mustContinue = false;
  const endCommand = (): boolean => {
    const command = toCommand(words);
    if (command === undefined) return false;
    commands.push(command);
    words = [];
    return true;
  };
  for (const token of tokenize(script)) {
    if (token.kind === 'invalid') return undefined;
    if (token.kind === 'word') {
      words.push(token);
      mustContinue = false;
      continue;
    }
    const isBlankLine = token.operator === '\n' && words.length === 0;
    if (isBlankLine) continue;
    if (!endCommand()) return undefined;
    mustContinue = token.operator !== ';' && token.operator !== '\n';
  }
  if (words.length > 0 && !endCommand()) return undefined;
  return mustContinue || commands.length === 0 ? undefined : commands;
}

interface Word {
  readonly kind: 'word';
  readonly text: string;
  readonly hasGlob: boolean;
  /** No part of it was quoted. */
  readonly isBare: boolean;
}

type Token = Word | { readonly kind: 'operator'; readonly operator: string } | { readonly kind: 'invalid' };

function toCommand(words: readonly Word[]): SimpleCommand | undefined {
  const program = words[0];
  if (program === undefined || program.text === '' || program.hasGlob || program.text.includes('=')) return undefined;
  if (program.isBare && RESERVED_WORDS.has(program.text)) return undefined;
  return { words: words.map((word) => word.text), hasGlob: words.some((word) => word.hasGlob) };
}

function* tokenize(script: string): Generator<Token, void, undefined> {
  let index = 0;
  while (index < script.length) {
    const character = script.charAt(index);
    if (character === ' ' || character === '\t') {
      index++;
      continue;
    }
    const operator = operatorAt(script, index);
    const token: Token & { readonly end?: number } =
      operator === undefined ? readWord(script, index) : { kind: 'operator', operator, end: index + operator.length };
    yield token;
    if (token.end === undefined) return;
    index = token.end;
  }
}

function operatorAt(script: string, index: number): string | undefined {
  const two = script.slice(index, index + 2);
  if (two === '&&' || two === '||') return two;
  const one = two.charAt(0);
  // `;;` and `|&` end here too: what follows cannot start a command, so the script is refused.
  return one === ';' || one === '|' || one === '\n' ? one : undefined;
}

function readWord(script: string, start: number): (Word & { readonly end: number }) | { readonly kind: 'invalid' } {
  let text = '';
  let hasGlob = false;
  let isBare = true;
  let index = start;
  while (index < script.length && !isBoundary(script, index)) {
    const character = String.fromCodePoint(script.codePointAt(index) ?? 0);
    if (character === "'" || character === '"') {
      const quoted = character === "'" ? readSingleQuoted(script, index) : readDoubleQuoted(script, index);
      if (quoted === undefined) return { kind: 'invalid' };
      text += quoted.text;
      index = quoted.end;
      isBare = false;
    } else {
      const isGlob = GLOB_CHARACTER.test(character);
      if (!isGlob && !isPlainBare(script, index, character, { atWordStart: index === start })) {
        return { kind: 'invalid' };
      }
      hasGlob ||= isGlob;
      text += character;
      index += character.length;
    }
  }
  return { kind: 'word', text, hasGlob, isBare, end: index };
}

function isBoundary(script: string, index: number): boolean {
  const character = script.charAt(index);
  return character === ' ' || character === '\t' || operatorAt(script, index) !== undefined;
}

/** `~` only as the home folder of this user; `=` not first, where zsh would look up a program. */
function isPlainBare(
  script: string,
  index: number,
  character: string,
  options: { readonly atWordStart: boolean },
): boolean {
  if (character === '~' && options.atWordStart) {
    const next = script.charAt(index + 1);
    return next === '' || next === '/' || isBoundary(script, index + 1);
  }
  if (character === '=' && options.atWordStart) return false;
  return BARE_CHARACTER.test(character);
}

interface QuotedPart {
  readonly text: string;
  readonly end: number;
}

function readSingleQuoted(script: string, start: number): QuotedPart | undefined {
  const close = script.indexOf("'", start + 1);
  if (close === -1) return undefined;
  const text = script.slice(start + 1, close);
  return text.includes('\0') ? undefined : { text, end: close + 1 };
}

function readDoubleQuoted(script: string, start: number): QuotedPart | undefined {
  let text = '';
  for (let index = start + 1; index < script.length; index++) {
    const character = script.charAt(index);
    if (character === '"') return { text, end: index + 1 };
    if ('$`!\0'.includes(character)) return undefined;
    if (character === '\\') {
      const escaped = script.charAt(index + 1);
      if (escaped === '' || '$`!\n'.includes(escaped)) return undefined;
      if (escaped === '"' || escaped === '\\') {
        text += escaped;
        index++;
        continue;
      }
    }
    text += character;
  }
  return undefined;
}
