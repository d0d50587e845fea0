import fs from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from './system-error.ts';

/** For its owner only. */
const MODE = 0o700;

/**
 * Makes a folder and those above it that are missing; the first that was made. Throws the error of the system.
 *
 * On a file system that is read-only, and wherever else the system refuses the first of them in a way that is not
 * foreseen, Node only says that it does not exist. Source: observed, Node 20 to 24.
 */
export function makeFolder(folder: string): string | undefined {
  try {
    return fs.mkdirSync(folder, { recursive: true, mode: MODE });
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    const first = firstMissing(folder);
    fs.mkdirSync(first, { mode: MODE }); // which says why
    fs.mkdirSync(folder, { recursive: true, mode: MODE });
    return first;
  }
}

function firstMissing(folder: string): string {
  const above = dirname(folder);
  return above === folder || fs.existsSync(above) ? folder : firstMissing(above);
}
