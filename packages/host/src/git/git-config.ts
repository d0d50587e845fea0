/** One `name = value` of a git configuration file. Section and name are in lower case. */
export interface GitConfigEntry {
  readonly section: string;
  readonly subsection: string | undefined;
  readonly name: string;
  readonly value: string;
}

/** Reads the text of a git configuration file; lines that make no sense are skipped. Source: git-config(1). */
export function parseGitConfig(text: string): GitConfigEntry[] {
  const entries: GitConfigEntry[] = [];
  let section = '';
  let subsection: string | undefined;
  for (const line of joinContinuations(text)) {
    const header = /^\s*\[\s*([-.\w]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line);
    if (header !== null) {
      const [name = '', ...rest] = (header[1] ?? '').split('.');
      section = name.toLowerCase();
      const dotted = rest.length === 0 ? undefined : rest.join('.').toLowerCase();
      subsection = header[2]?.replace(/\\(.)/g, '$1') ?? dotted;
    }
    const rest = header === null ? line : line.slice(header[0].length);
    const entry = /^\s*([A-Za-z][-A-Za-z0-9]*)\s*(?:=(.*))?$/.exec(rest);
    if (entry === null) continue;
    const value = entry[2] === undefined ? 'true' : parseValue(entry[2]);
    entries.push({ section, subsection, name: (entry[1] ?? '').toLowerCase(), value });
  }
  return entries;
}

/** A backslash at the end of a line goes on in the next one, unless it is escaped or in a line of comment. */
function joinContinuations(text: string): string[] {
  const joined: string[] = [];
  let current = '';
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    const isComment = current === '' && /^\s*[#;]/.test(line);
    current += line;
    if (!isComment && /(?<!\\)(?:\\\\)*\\$/.test(current)) {
      current = current.slice(0, -1);
    } else {
      joined.push(current);
      current = '';
    }
  }
  return current === '' ? joined : [...joined, current];
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' };

/** Quotes are taken away, escapes resolved, a comment and the blanks around the value dropped. */
function parseValue(raw: string): string {
  let value = '';
  let keptLength = 0; // up to here blanks at the end belong to the value
  let isQuoted = false;
  const text = raw.trimStart();
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (character === '"') {
      isQuoted = !isQuoted;
    } else if (!isQuoted && (character === '#' || character === ';')) {
      break;
    } else if (character === '\\') {
      index += 1;
      const escaped = text[index] ?? '';
      value += ESCAPES[escaped] ?? escaped;
      keptLength = value.length;
      continue;
    } else {
      value += character;
    }
    if (isQuoted || character.trim() !== '') keptLength = value.length;
  }
  return value.slice(0, keptLength);
}
