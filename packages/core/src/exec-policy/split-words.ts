/** Splits a line into words as a POSIX shell would, without expanding anything; `undefined` when a quote stays open. */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '\\') {
      index += 1;
      if (index >= line.length) return undefined;
      word = (word ?? '') + line.charAt(index);
    } else if (character === "'" || character === '"') {
      const end = closingQuote(line, index);
      if (end === undefined) return undefined;
      const inner = line.slice(index + 1, end);
      word = (word ?? '') + (character === '"' ? inner.replace(/\\(["\\$`])/g, '$1') : inner);
      index = end;
    } else word = (word ?? '') + character;
  }
  return word === undefined ? words : [...words, word];
}

function closingQuote(line: string, open: number): number | undefined {
  const quote = line.charAt(open);
  for (let index = open + 1; index < line.length; index += 1) {
    if (line.charAt(index) === quote) return index;
    if (quote === '"' && line.charAt(index) === '\\') index += 1;
  }
  return undefined;
}
