import { lstatSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';

/**
 * Symbolic links in protected places. Nothing can be mounted on a link, so a command can put something else in its
 * place; when it has ended that is set aside, under a name that no program looks for, and the link is made again.
 */
export function keepLinks(paths: readonly string[]): { readonly release: () => void } {
  const links = paths.flatMap((path) => {
    const target = targetOf(path);
    return target === undefined ? [] : [{ path, target }];
  });
  return {
    release: () => {
      for (const { path, target } of links) if (targetOf(path) !== target) restore(path, target);
    },
  };
}

function restore(path: string, target: string): void {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) renameSync(path, freeName(path));
    symlinkSync(target, path);
  } catch {
    return; // the folder is gone or is not ours to change, and then nobody looks there for the link
  }
}

function freeName(path: string): string {
  for (let number = 1; ; number += 1) {
    const name = `${path}.set-aside-${number}`;
    if (lstatSync(name, { throwIfNoEntry: false }) === undefined) return name;
  }
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // no link
  }
}
