import fs from 'node:fs';
import path from 'node:path';
import { describeSystemError, systemErrorCode } from '../system-error.ts';
import { flushFolder } from './flush-folder.ts';
import { RolloutError } from './rollout-error.ts';
import { lockRollout } from './rollout-lock.ts';
import { archivedFolder, dayFolderOfName, isBelow, sessionsFolder } from './rollout-name.ts';

interface MoveOptions {
  readonly home: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * Puts a thread away: it is found by id and name, but not listed. Nothing happens to one that is put away already.
 * @returns where its rollout is now
 * @throws RolloutError 'not-found', 'not-writable', 'in-use'
 */
export function archiveRollout(options: MoveOptions): Promise<string> {
  return moveRollout(options.path, archivedFolder(options.home));
}

/**
 * Puts a thread back to the folder of the day in its name.
 * @returns where its rollout is now
 * @throws RolloutError 'not-found', 'not-writable', 'in-use'
 */
export async function unarchiveRollout(options: MoveOptions): Promise<string> {
  if (isBelow(sessionsFolder(options.home), options.path)) return options.path;
  const folder = dayFolderOfName(options.home, path.basename(options.path));
  if (folder !== undefined) return await moveRollout(options.path, folder);
  throw new RolloutError('not-found', `${options.path} is not named like a rollout, so it has no day to go back to`, {
    path: options.path,
  });
}

async function moveRollout(file: string, folder: string): Promise<string> {
  const target = path.join(folder, path.basename(file));
  if (target === file) return file;
  if (!fs.existsSync(file)) throw new RolloutError('not-found', `${file} does not exist`, { path: file });
  const lock = lockRollout(file);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (fs.existsSync(target)) throw Object.assign(new Error('there is one already'), { code: 'EEXIST' });
    moveFile(file, target);
  } catch (cause) {
    throw new RolloutError('not-writable', `${file} can not be moved to ${folder}: ${describeSystemError(cause)}`, {
      path: file,
      cause,
    });
  } finally {
    lock.release();
  }
  await Promise.all([flushFolder(folder), flushFolder(path.dirname(file))]);
  return target;
}

/** At no moment is the file nowhere. */
function moveFile(file: string, target: string): void {
  try {
    fs.renameSync(file, target);
  } catch (error) {
    if (systemErrorCode(error) !== 'EXDEV') throw error;
    copyDurably(file, target);
    fs.rmSync(file);
  }
}

function copyDurably(file: string, target: string): void {
  const draft = `${target}.draft`;
  try {
    fs.copyFileSync(file, draft);
    const { atime, mtime } = fs.statSync(file);
    const fd = fs.openSync(draft, 'r+');
    try {
      fs.futimesSync(fd, atime, mtime);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(draft, target);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Whether a rollout was put away. */
export function isArchived(home: string, file: string): boolean {
  return isBelow(archivedFolder(home), file);
}
