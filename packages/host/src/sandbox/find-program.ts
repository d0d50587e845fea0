import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where only the administrator installs programs; the last one is that of NixOS. */
const SYSTEM_FOLDERS: readonly string[] = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/**
 * A program of the system. What is found by `PATH` does not count: it may be a folder of the project, and whatever a
 * confined command has put there would run unconfined.
 */
export function findProgram(name: string): string | undefined {
  return SYSTEM_FOLDERS.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
