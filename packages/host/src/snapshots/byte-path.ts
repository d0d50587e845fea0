import { sep } from 'node:path';

/**
 * A path as git prints it: relative to the top of the work tree, `/` between its parts, one character for each
 * byte. Names of files need not be UTF-8, and must come back as they were.
 */
export type BytePath = string;

/** For calls of the file system. */
export function toSystemPath(directory: string, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(`${directory}${directory.endsWith(sep) ? '' : sep}`), Buffer.from(path, 'latin1')]);
}

/** For people. */
export function toText(path: BytePath): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

/** The entries of output that was asked for with `-z`. */
export function splitEntries(output: string): string[] {
  const entries = output.split('\0');
  entries.pop();
  return entries;
}

export function joinEntries(entries: Iterable<string>): string {
  let text = '';
  for (const entry of entries) text += `${entry}\0`;
  return text;
}

/** The directories that a path is in, from the top. */
export function parentsOf(path: BytePath): BytePath[] {
  const parents: BytePath[] = [];
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) parents.push(path.slice(0, end));
  return parents;
}
