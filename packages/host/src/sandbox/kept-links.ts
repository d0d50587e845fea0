import { readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { factsOf } from './entry-facts.ts';
import { OpenedFolder } from './opened-folder.ts';

interface KeptLink {
  readonly folder: OpenedFolder;
  readonly name: string;
  readonly target: string;
}

/**
 * Symbolic links in protected places. Nothing can be mounted on a link, so a command can put something else in its
 * place; when it has ended that is set aside, under a name that no program looks for, and the link is made again.
 */
export function keepLinks(paths: readonly string[]): { readonly release: () => void } {
  const links = paths.flatMap((path) => keep(path) ?? []);
  return {
    release: () => {
      for (const link of links.splice(0)) {
        if (targetOf(link.folder.entry(link.name)) !== link.target) restore(link);
        link.folder.close();
      }
    },
  };
}

function keep(path: string): KeptLink | undefined {
  const folder = OpenedFolder.open(dirname(path));
  if (folder === undefined) return undefined;
  const name = basename(path);
  const target = targetOf(folder.entry(name));
  if (target !== undefined) return { folder, name, target };
  folder.close();
  return undefined;
}

function restore({ folder, name, target }: KeptLink): void {
  const path = folder.entry(name);
  try {
    if (factsOf(path) !== undefined) renameSync(path, freeName(path));
    symlinkSync(target, path);
  } catch {
    return; // the folder is gone or is not ours to change, and then nobody looks there for the link
  }
}

function freeName(path: string): string {
  for (let number = 1; ; number += 1) {
    const name = `${path}.set-aside-${number}`;
    if (factsOf(name) === undefined) return name;
  }
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // no link
  }
}
