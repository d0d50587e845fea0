import { rm } from 'node:fs/promises';
import {
  describeSystemError,
  FileError,
  type FileLock,
  type LockOptions,
  leftDrafts,
  probeFile,
  replaceFile,
  systemErrorCode,
  takeFileLock,
} from '@quire/files';
import { AuthError } from '../auth-error.ts';

/** Held while the stored login is changed. Rejects with AuthError 'in-use' or 'not-writable', or the reason of the signal. */
export function lockLogin(path: string, options: Omit<LockOptions, 'what'>): Promise<FileLock> {
  return changing(() => takeFileLock(path, { what: 'the login', ...options }));
}

/** Rejects with AuthError 'not-writable'. Under the lock, as all that follows. */
export function writeLogin(path: string, text: string): Promise<void> {
  return changing(async () => {
    await removeDrafts(path);
    await replaceFile(path, text);
  });
}

/** Whether a login could be written. Rejects with AuthError 'not-writable'. */
export function probeLogin(path: string): Promise<void> {
  return changing(async () => {
    await removeDrafts(path);
    await probeFile(path);
  });
}

/** Whether there was one. Rejects with AuthError 'not-writable'. */
export async function removeLogin(path: string): Promise<boolean> {
  try {
    await removeDrafts(path);
    await rm(path);
    return true;
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    const what = `${path} can not be removed: ${describeSystemError(cause)}; check its folder`;
    throw new AuthError('not-writable', what, { cause });
  }
}

/** They hold secrets. */
async function removeDrafts(path: string): Promise<void> {
  await Promise.all((await leftDrafts(path)).map((draft) => rm(draft, { force: true })));
}

async function changing<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof FileError) throw new AuthError(cause.code, cause.message, { cause });
    throw cause;
  }
}
