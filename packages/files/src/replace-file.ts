import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from './file-error.ts';
import { flushFolder } from './flush-folder.ts';
import { describeSystemError, systemErrorCode } from './system-error.ts';

const PROBE_BYTES = 16 * 1024;

/**
 * Replaces a file by way of a second one, so that a crash leaves the old content or the new one; readable by its owner
 * only. A link to a file stays one. Rejects with FileError 'not-writable'.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writing(path, async () => {
    const target = await prepare(path);
    const draft = draftName(target);
    try {
      await writeDraft(draft, Buffer.from(text, 'utf8'));
      await rename(draft, target);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    await flushFolder(dirname(target));
  });
}

/** Whether the file could be replaced: the folder takes files, and the disk has room. Rejects with FileError 'not-writable'. */
export async function probeFile(path: string): Promise<void> {
  await writing(path, async () => {
    const target = await prepare(path);
    const size = await stat(target).then(
      (stats) => stats.size,
      () => 0,
    );
    const draft = draftName(target);
    try {
      await writeDraft(draft, Buffer.alloc(size + PROBE_BYTES, ' '));
    } finally {
      await rm(draft, { force: true });
    }
  });
}

/** Makes the folder. The file itself where `path` is a link to it. */
async function prepare(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return path;
  throw new FileError('not-writable', `${path} is a link to a file that does not exist; remove it or make that file`);
}

async function writeDraft(draft: string, content: Buffer): Promise<void> {
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function draftName(target: string): string {
  return `${target}.${randomBytes(6).toString('hex')}.draft`;
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw error instanceof FileError ? error : notWritable(path, error);
  }
}

function notWritable(path: string, cause: unknown): FileError {
  const what = `${path} can not be written: ${describeSystemError(cause)}; check its folder and the space on the disk`;
  return new FileError('not-writable', what, { cause });
}
