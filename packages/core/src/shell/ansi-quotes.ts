const LETTERS: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  E: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const CODE = /^(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3}))/;

/** The text of bash's `$'…'` quotes. `start` is behind the opening quote, `end` behind the closing one. */
export function decodeAnsiQuoted(script: string, start: number): { readonly text: string; readonly end: number } {
  let text = '';
  let index = start;
  while (index < script.length && script.charAt(index) !== "'") {
    if (script.charAt(index) !== '\\') {
      text += script.charAt(index);
      index += 1;
      continue;
    }
    const code = CODE.exec(script.slice(index + 1, index + 10));
    if (code === null) {
      const letter = script.charAt(index + 1);
      text += LETTERS[letter] ?? letter;
      index += 2;
    } else {
      const value = Number.parseInt(code[1] ?? code[2] ?? code[3] ?? code[4] ?? '0', code[4] === undefined ? 16 : 8);
      text += value <= 0x10ffff ? String.fromCodePoint(value) : '';
      index += 1 + code[0].length;
    }
  }
  return { text, end: index + 1 };
}
