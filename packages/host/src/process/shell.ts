import { accessSync, constants, statSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import type { ShellInfo } from '@quire/core';

/** Shells whose `-c` and `-l` are known to mean what the tools promise. */
const KNOWN_SHELLS: ReadonlySet<string> = new Set(['bash', 'zsh', 'sh']);

/** The user's shell when it is a known one that can be run, else bash, else sh. */
export function findUserShell(environment: Readonly<Record<string, string | undefined>>): ShellInfo {
  const preferred = environment['SHELL'];
  for (const path of preferred === undefined ? ['/bin/bash'] : [preferred, '/bin/bash']) {
    const name = basename(path);
    if (isAbsolute(path) && KNOWN_SHELLS.has(name) && isExecutableFile(path)) return { name, path };
  }
  return { name: 'sh', path: '/bin/sh' };
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // missing or not executable: either way it is not a shell to use
  }
}
