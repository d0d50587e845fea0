import { realpathSync } from 'node:fs';
import { SetupError, systemReason } from '../exec/setup-error.ts';

/** The directory whose threads are meant, as threads name it. Throws `SetupError` 'directory'. */
export function directoryOf(given: string | undefined): string {
  try {
    return realpathSync(given ?? process.cwd());
  } catch (cause) {
    const path = given ?? 'the working directory';
    const message = `${path} can not be used: ${systemReason(cause)}; give an existing directory with -C`;
    throw new SetupError('directory', message, { cause });
  }
}
