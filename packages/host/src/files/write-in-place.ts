import { type FileHandle, open } from 'node:fs/promises';

/** The set-user-id and set-group-id bits, which the system takes away from a file that is written to. */
const SET_ID_BITS = 0o6000;

/**
 * Writes over the content of an existing file, which stays the very same one under all its names.
 *
 * @param onBegin is given the step back before anything is changed; it holds the original in memory and needs no
 *   space elsewhere. It is not called for a file that can not be opened.
 */
export async function writeInPlace(
  path: string,
  text: string,
  onBegin: (undo: () => Promise<void>) => void,
): Promise<void> {
  await using file = await open(path, 'r+');
  const { mode } = await file.stat();
  const original = await file.readFile();
  onBegin(async () => {
    await using again = await open(path, 'r+');
    await overwrite(again, original, mode);
  });
  await overwrite(file, Buffer.from(text), mode);
}

async function overwrite(file: FileHandle, bytes: Uint8Array, mode: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, written);
    written += bytesWritten;
  }
  await file.truncate(bytes.length);
  if ((mode & SET_ID_BITS) !== 0) await file.chmod(mode & 0o7777);
}
