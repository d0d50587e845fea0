import { statSync } from 'node:fs';
import { workingDirectory } from '../working-directory.ts';
import { SetupError, systemReason } from './setup-error.ts';

/** Finds out before the run what `--add-dir` names in vain. Throws `SetupError`. */
export function checkWritableDirectories(paths: readonly string[]): void {
  for (const path of paths) {
    if (!isDirectory(path)) {
      throw new SetupError('directory', `${path} is a file, not a directory; give a directory with --add-dir`);
    }
  }
}

/**
 * A path that is not valid UTF-8 can not be passed on: the platform hands it over with `U+FFFD` in the place of the
 * bytes, and under that name there is nothing. Throws `SetupError`.
 */
export function checkWorkingDirectoryName(given: string | undefined): void {
  const path = workingDirectory(given);
  if (!path.includes('\uFFFD') || statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  throw new SetupError(
    'directory',
    `the name of the working directory ${path} is not valid UTF-8; rename it, or choose another directory with -C`,
  );
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const problem = isMissing ? 'does not exist' : `can not be used: ${systemReason(cause)}`;
    throw new SetupError('directory', `the directory ${path} ${problem}; give an existing one with --add-dir`, {
      cause,
    });
  }
}
