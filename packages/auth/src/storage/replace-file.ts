import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AuthError } from '../auth-error.ts';
import { systemCode, systemWord } from '../system-error.ts';

const PROBE_BYTES = 16 * 1024;

/**
 * Replaces a file by way of a second one, so that a crash leaves the old content or the new one; readable by its owner
 * only. A link to a file stays one. Rejects with AuthError 'not-writable'.
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

/** Whether the file could be replaced: the folder takes files, and the disk has room. Rejects with AuthError 'not-writable'. */
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

/** Whether there was one. Rejects with AuthError 'not-writable'. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await rm(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw notWritable(path, error);
  }
}

/** Makes the folder. The file itself where `path` is a link to it. */
async function prepare(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return path;
  throw new AuthError('not-writable', `${path} is a link to a file that does not exist; remove it or make that file`);
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

/** Makes the names in a folder durable, where the system can do that. */
async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Not every system can open or flush a folder. The content of its files is safe either way.
  }
}

function draftName(target: string): string {
  return `${target}.${randomBytes(6).toString('hex')}.draft`;
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw error instanceof AuthError ? error : notWritable(path, error);
  }
}

function notWritable(path: string, cause: unknown): AuthError {
  const what = `${path} can not be written: ${systemWord(cause)}; check its folder and the space on the disk`;
  return new AuthError('not-writable', what, { cause });
}
