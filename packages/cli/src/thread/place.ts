import { realpathSync } from 'node:fs';
import { SetupError, systemReason } from '../exec/setup-error.ts';
import { workingDirectory } from '../working-directory.ts';

/** The directory whose threads are meant, as threads name it. Throws `SetupError` 'directory'. */
export function directoryOf(given: string | undefined): string {
  const path = workingDirectory(given);
  try {
    return realpathSync(path);
  } catch (cause) {
    const message = `${path} can not be used: ${systemReason(cause)}; give an existing directory with -C`;
    throw new SetupError('directory', message, { cause });
  }
}
