import { isTable } from './layers.ts';
import { parseTomlDocument } from './toml.ts';

/**
 * `text` without the sections of the table at `path` and of the tables inside it. Comments of what stands behind them
 * stay. Made for tables with headers of their own: whoever calls it checks what the result reads as.
 */
export async function removeTomlTable(text: string, path: readonly string[]): Promise<string> {
  const lineEnd = text.includes('\r\n') ? '\r' : '';
  let lines = text.split('\n');
  for (let start = await findHeader(lines, path); start !== -1; start = await findHeader(lines, path)) {
    const next = lines.findIndex((line, index) => index > start && isHeader(line));
    const before = lines.slice(0, start);
    while (isBlank(before.at(-1))) before.pop();
    const after = behind(lines.slice(start + 1, next === -1 ? lines.length : next), { isLast: next === -1 });
    const rest = [...after, ...(next === -1 ? [] : lines.slice(next))];
    lines = [...before, ...(before.length > 0 ? [lineEnd] : []), ...rest];
    if (rest.length === 0) lines = [...before, ''];
  }
  return lines.join('\n');
}

/** Of the lines below a header those that are no part of its section: comments that belong to the next one. */
function behind(body: readonly string[], { isLast }: { readonly isLast: boolean }): readonly string[] {
  const end = body.findLastIndex((line) => !isBlank(line) && !isComment(line)) + 1;
  const tail = body.slice(end);
  // At the end of the file what follows the section without a gap is its own.
  const gap = isLast ? tail.findIndex(isBlank) : 0;
  const kept = gap === -1 ? [] : tail.slice(gap);
  const first = kept.findIndex(isComment);
  return first === -1 ? [] : kept.slice(first);
}

/** The first line that is a header of the table, or of one inside it; -1 when there is none. */
async function findHeader(lines: readonly string[], path: readonly string[]): Promise<number> {
  for (const [index, line] of lines.entries()) {
    if (!isHeader(line)) continue;
    const header = await readHeader(line);
    if (header !== undefined && path.every((name, depth) => header[depth] === name)) return index;
  }
  return -1;
}

/** The names in a header; `undefined` for a line that only looks like one. */
async function readHeader(line: string): Promise<readonly string[] | undefined> {
  const names: string[] = [];
  try {
    let value: unknown = await parseTomlDocument(line.trim(), /* source */ '');
    while (isTable(value)) {
      const [name] = Object.keys(value);
      if (name === undefined) break;
      names.push(name);
      value = value[name];
    }
    return names;
  } catch {
    return undefined;
  }
}

function isHeader(line: string): boolean {
  return line.trimStart().startsWith('[');
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

function isBlank(line: string | undefined): boolean {
  return line?.trim() === '';
}
