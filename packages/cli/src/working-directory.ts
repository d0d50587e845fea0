import { resolve } from 'node:path';
import { SetupError } from './exec/setup-error.ts';

/**
 * Absolute. Throws SetupError 'directory' when the folder that this process works in has been deleted.
 *
 * @param given as given with `-C`; absent: the folder that this process works in
 * @param options `takesDirectory`: whether the command has `-C`
 */
export function workingDirectory(
  given: string | undefined,
  { takesDirectory = true }: { readonly takesDirectory?: boolean } = {},
): string {
  try {
    return resolve(given ?? '.');
  } catch (cause) {
    const remedy = takesDirectory ? 'choose another one with -C' : 'change to another one';
    throw new SetupError('directory', `the working directory no longer exists; ${remedy}`, { cause });
  }
}

/** For what does not depend on the project: the folder that this process works in, or another one that is there. */
export function workingDirectoryOr(other: string): string {
  try {
    return process.cwd();
  } catch {
    return other; // deleted
  }
}
