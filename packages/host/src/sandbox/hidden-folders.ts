import { realpathSync } from 'node:fs';
import { factsOf } from './entry-facts.ts';

/** Sockets and pipes of the system and of the user's desktop. */
export const RUNTIME_FOLDERS: readonly string[] = ['/run', '/var/run'];
/** What programs look for below: the addresses of name servers, and the programs of NixOS. */
const NEEDED: readonly string[] = [
  '/etc/resolv.conf',
  '/run/current-system',
  '/run/opengl-driver',
  '/run/booted-system',
];

export interface HiddenFolders {
  /** Seen empty. Absolute, real. */
  readonly folders: readonly string[];
  /** Parts of them that are seen all the same. Absolute, real, there. */
  readonly shown: readonly string[];
}

/** @param used absolute, real: paths that the command works with, which stay to be seen */
export function findHiddenFolders(used: readonly string[]): HiddenFolders {
  const folders = RUNTIME_FOLDERS.filter(isRealFolder);
  const needed = NEEDED.flatMap((path) => realPathOf(path) ?? []);
  const isBelow = (path: string): boolean => folders.some((folder) => path.startsWith(`${folder}/`));
  return { folders, shown: [...new Set([...needed, ...used].filter(isBelow))] };
}

function isRealFolder(path: string): boolean {
  return factsOf(path)?.isDirectory() === true;
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // not on this system
  }
}
