import { constants, open } from 'node:fs/promises';

/** What stands in the place of a file would keep its reader waiting, or never end. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError';

  constructor() {
    super('it is not a regular file');
  }
}

/**
 * The bytes of a regular file. Rejects with NotAFileError or the error of the system; nobody waits for a program at the
 * other end of a pipe, which could not be stopped, not even by the end of the process.
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    // A directory has an error of its own when it is read.
    if (!stat.isFile() && !stat.isDirectory()) throw new NotAFileError();
    return await file.readFile();
  } finally {
    await file.close();
  }
}
