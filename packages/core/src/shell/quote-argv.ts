/** The ways to write a character, best first. */
const STYLES = ['plain', 'single', 'double'] as const;
type Style = (typeof STYLES)[number];

/**
 * An argument list as one line that a POSIX shell reads back as the same list; for display, e.g.
 * `/bin/bash -lc 'echo hi'`. Words with a NUL character, which no program can get, are only joined.
 *
 * The choice of quotes is that of the `shlex` library in its version 1.3, which the peer prints commands with.
 */
export function quoteArgv(argv: readonly string[]): string {
  if (argv.some((word) => word.includes('\0'))) return argv.join(' ');
  return argv.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  if (word === '') return "''";
  let quoted = '';
  for (let rest = word; rest !== ''; ) {
    const { length, style } = longestPart(rest);
    quoted += writePart(rest.slice(0, length), style);
    rest = rest.slice(length);
  }
  return quoted;
}

/** As many characters as one style can write. `^` is written only at the start of single quotes. */
function longestPart(text: string): { readonly length: number; readonly style: Style } {
  let styles: readonly Style[] = text.startsWith('^') ? ['single'] : STYLES;
  let length = text.startsWith('^') ? 1 : 0;
  while (length < text.length) {
    const character = text.charAt(length);
    if (!styles.every((style) => canWrite(style, character))) {
      const remaining = styles.filter((style) => canWrite(style, character));
      if (remaining.length === 0) break;
      styles = remaining;
    }
    length++;
  }
  return { length, style: styles[0] ?? 'single' };
}

function canWrite(style: Style, character: string): boolean {
  switch (style) {
    case 'plain':
      return /[A-Za-z0-9+\-./:@\]_]/.test(character);
    case 'single':
      return !"'^\\".includes(character);
    case 'double':
      return !'`$!^'.includes(character);
  }
}

function writePart(text: string, style: Style): string {
  switch (style) {
    case 'plain':
      return text;
    case 'single':
      return `'${text}'`;
    case 'double':
      return `"${text.replace(/["\\]/g, '\\$&')}"`;
  }
}
