import { lstatSync, type Stats, statSync } from 'node:fs';

/** What is at `path` itself, a link too; `undefined` when nothing is there or it can not be seen. */
export function factsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a part of the path is no folder, or is closed to us
  }
}

/** As `factsOf`, of what a link leads to. */
export function targetFactsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

export function isLink(path: string): boolean {
  return factsOf(path)?.isSymbolicLink() === true;
}

export function isFolder(path: string): boolean {
  return factsOf(path)?.isDirectory() === true;
}
