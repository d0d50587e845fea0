import { lstat, open, rm } from 'node:fs/promises';
import { systemReason } from '../exec/setup-error.ts';

/** Why the file will not be written; `undefined` when nothing is there yet. */
export async function refusalOf(file: string): Promise<string | undefined> {
  const isThere = await lstat(file).then(
    () => true,
    () => false,
  );
  return isThere ? `${file} exists already, and is not overwritten; give another name to --bundle` : undefined;
}

/** Writes it for its owner only, as a new file. Why it could not be written; `undefined`: it is there. */
export async function writeBundle(file: string, text: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      return undefined;
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  } catch (error) {
    return (
      (await refusalAfter(file, error)) ??
      `the bundle ${file} can not be written: ${systemReason(error)}; give another name`
    );
  }
}

/** Somebody made it while the checks ran. */
async function refusalAfter(file: string, error: unknown): Promise<string | undefined> {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST' ? await refusalOf(file) : undefined;
}
