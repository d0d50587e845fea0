import fs from 'node:fs/promises';
import { describeSystemError } from '@quire/files';

/** Entries carry whole instructions; a real list is below 1 MiB. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The text of a regular file of a size that makes sense. Rejects with an Error. */
export async function readBounded(file: string): Promise<string> {
  const stat = await fs.stat(file);
  // A pipe would keep its reader waiting.
  if (!stat.isFile()) throw new Error('it is not a file');
  if (stat.size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(await fs.readFile(file));
}

/** A few words on why `readBounded` rejected. */
export function describeReadFailure(error: unknown): string {
  return error instanceof TypeError ? 'it is not UTF-8 text' : describeSystemError(error);
}
