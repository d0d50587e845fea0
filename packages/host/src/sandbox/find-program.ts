import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** The first program of that name in `PATH`, else in the usual folders. Relative folders do not count. */
export function findProgram(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const folders = [...(environment['PATH'] ?? '').split(':'), '/usr/local/bin', '/usr/bin', '/bin'];
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
