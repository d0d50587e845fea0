/** A word with one letter in `marks` for each of `text`: `u` bare, `q` quoted, `s` a blank at which the shell splits. */
export interface MarkedText {
  readonly text: string;
  readonly marks: string;
}

/** More words than this are not made of one. */
const MAX_WORDS = 128;
const LONGEST_RANGE = 32;
/** Longer words are left as they are: what expands is short where people write it. */
const LONGEST_WORD = 1_000;

/** The words that a shell makes of one: split at blanks of variables, then `a{b,c}` and `{a..c}` written out. */
export function expandBraces(word: MarkedText): readonly string[] {
  if (!word.marks.includes('s') && !word.text.includes('{')) return [word.text];
  const parts: string[] = [];
  for (const piece of splitAtBlanks(word)) {
    let done: readonly MarkedText[] = [piece];
    if (piece.text.length > LONGEST_WORD) {
      parts.push(piece.text);
      continue;
    }
    for (let round = 0; round < MAX_WORDS && done.length <= MAX_WORDS; round += 1) {
      const next = done.flatMap((text) => expandFirst(text) ?? [text]);
      if (next.length === done.length && next.every((text, index) => text === done[index])) break;
      done = next;
    }
    parts.push(...done.map(({ text }) => text));
  }
  return parts;
}

function splitAtBlanks({ text, marks }: MarkedText): readonly MarkedText[] {
  if (!marks.includes('s')) return [{ text, marks }];
  const pieces: MarkedText[] = [];
  for (const match of marks.matchAll(/[^s]+/g)) {
    pieces.push({ text: text.slice(match.index, match.index + match[0].length), marks: match[0] });
  }
  return pieces;
}

/** The first list or range in bare braces written out; `undefined` when there is none. */
function expandFirst(word: MarkedText): readonly MarkedText[] | undefined {
  for (let open = bareAt(word, '{', /* from */ 0); open !== -1; open = bareAt(word, '{', open + 1)) {
    const list = readList(word, open);
    if (list === undefined) continue;
    const before = slice(word, /* start */ 0, open);
    const after = slice(word, list.end, word.text.length);
    return list.choices.map((choice) => join(before, choice, after));
  }
  return undefined;
}

function readList(
  word: MarkedText,
  open: number,
): { readonly choices: readonly MarkedText[]; readonly end: number } | undefined {
  const choices: MarkedText[] = [];
  let depth = 0;
  let start = open + 1;
  for (let index = open; index < word.text.length; index += 1) {
    const character = word.marks.charAt(index) === 'u' ? word.text.charAt(index) : '';
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if ((character === ',' && depth === 1) || depth === 0) {
      choices.push(slice(word, start, index));
      start = index + 1;
    }
    if (depth > 0) continue;
    const range = choices.length === 1 ? rangeOf(choices[0]?.text ?? '') : choices;
    return range === undefined || range.length > MAX_WORDS ? undefined : { choices: range, end: index + 1 };
  }
  return undefined;
}

/** `a..e`, of single letters. */
function rangeOf(text: string): readonly MarkedText[] | undefined {
  const match = /^([A-Za-z])\.\.([A-Za-z])$/.exec(text);
  if (match === null) return undefined;
  const [from, to] = [match[1] ?? '', match[2] ?? ''].map((letter) => letter.charCodeAt(0));
  if (from === undefined || to === undefined || Math.abs(to - from) > LONGEST_RANGE) return undefined;
  const step = to < from ? -1 : 1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => ({
    text: String.fromCharCode(from + index * step),
    marks: 'q',
  }));
}

function bareAt(word: MarkedText, character: string, from: number): number {
  for (let index = word.text.indexOf(character, from); index !== -1; index = word.text.indexOf(character, index + 1)) {
    if (word.marks.charAt(index) === 'u') return index;
  }
  return -1;
}

function slice({ text, marks }: MarkedText, start: number, end: number): MarkedText {
  return { text: text.slice(start, end), marks: marks.slice(start, end) };
}

function join(...parts: readonly MarkedText[]): MarkedText {
  return { text: parts.map(({ text }) => text).join(''), marks: parts.map(({ marks }) => marks).join('') };
}
