const SHELL = /^(?:.*\/)?(?:bash|zsh|sh|dash)$/;

/** What a person wants to see of a command: the script of `/bin/bash -lc '…'`, and any other command as it is. */
export function scriptOf(command: string): string {
  const words = splitWords(command);
  if (words?.length !== 3) return command;
  const [shell = '', flag, script = ''] = words;
  return SHELL.test(shell) && (flag === '-lc' || flag === '-c') ? script : command;
}

/** The words of a quoted line by the rules of the POSIX shell; `undefined` when a quote stays open. */
function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? '';
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (quote === '"' && character === '\\' && '"\\$`'.includes(line[index + 1] ?? ' ')) {
        index += 1;
        word += line[index] ?? '';
      } else word += character;
    } else if (character === ' ') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (character === '\\') {
      index += 1;
      word = (word ?? '') + (line[index] ?? '');
    } else word = (word ?? '') + character;
  }
  if (quote !== undefined) return undefined;
  return word === undefined ? words : [...words, word];
}
