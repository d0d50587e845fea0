import fs from 'node:fs';
import path from 'node:path';
import { describeSystemError, flushFolder, makeFolder, systemErrorCode } from '@quire/files';
import type { ThreadId } from '@quire/protocol';
import { draftOf, removeOldDrafts } from './drafts.ts';
import { filesOfThread, findRollout } from './find-rollout.ts';
import { RolloutError } from './rollout-error.ts';
import { lockRollout, type RolloutLock } from './rollout-lock.ts';
import { archivedFolder, dayFolderOfName, isBelow, sessionsFolder, threadIdOfName } from './rollout-name.ts';

interface MoveOptions {
  readonly home: string;
  /** Absolute. */
  readonly path: string;
}

interface MoveThreadOptions {
  readonly home: string;
  readonly threadId: ThreadId;
}

/** A file, and the folder it goes to. */
interface Move {
  readonly file: string;
  readonly folder: string;
}

/**
 * Puts a thread away, with all files that it has: it is found by id and name, but not listed. Nothing happens to one
 * that is put away already.
 * @param options.path a file of the thread
 * @returns where that file is now
 * @throws RolloutError 'not-found', 'not-writable', 'in-use'; all files are where they were then
 */
export async function archiveRollout({ home, path: file }: MoveOptions): Promise<string> {
  const threadId = isIn(home, file) ? threadIdOfName(path.basename(file)) : undefined;
  const others = threadId === undefined ? [] : filesOfThread(sessionsFolder(home), threadId);
  const folder = archivedFolder(home);
  // The oldest first: what stands in the middle of it is still the newest file, with the others behind it.
  const files = isArchived(home, file) ? others : [file, ...others];
  await moveAll(oldestFirst(files).map((each) => ({ file: each, folder })));
  return isArchived(home, file) ? file : path.join(folder, path.basename(file));
}

/**
 * Puts all files of a thread back to the folders of the days in their names.
 * @param options.path a file of the thread
 * @returns where that file is now
 * @throws RolloutError 'not-found', 'not-writable', 'in-use'; all files are where they were then
 */
export async function unarchiveRollout({ home, path: file }: MoveOptions): Promise<string> {
  const isBack = isBelow(sessionsFolder(home), file);
  const target = isBack ? path.dirname(file) : dayFolderOfName(home, path.basename(file));
  if (target === undefined) {
    throw new RolloutError('not-found', `${file} is not named like a rollout, so it has no day to go back to`, {
      path: file,
    });
  }
  const threadId = isIn(home, file) ? threadIdOfName(path.basename(file)) : undefined;
  const others = threadId === undefined ? [] : filesOfThread(archivedFolder(home), threadId);
  const moves = oldestFirst(isBack ? others : [file, ...others]).map((each) => ({
    file: each,
    folder: dayFolderOfName(home, path.basename(each)) ?? target,
  }));
  await moveAll(moves.reverse());
  return path.join(target, path.basename(file));
}

/**
 * `archiveRollout` by the id of the thread.
 * @returns where its newest file is now
 */
export function archiveThread({ home, threadId }: MoveThreadOptions): Promise<string> {
  return archiveRollout({ home, path: findRollout({ home, idOrPath: threadId, cwd: home }) });
}

/**
 * `unarchiveRollout` by the id of the thread.
 * @returns where its newest file is now
 */
export function unarchiveThread({ home, threadId }: MoveThreadOptions): Promise<string> {
  return unarchiveRollout({ home, path: findRollout({ home, idOrPath: threadId, cwd: home }) });
}

function isIn(home: string, file: string): boolean {
  return isBelow(sessionsFolder(home), file) || isArchived(home, file);
}

function oldestFirst(files: readonly string[]): string[] {
  const name = (file: string): string => path.basename(file);
  return [...new Set(files)].sort((left, right) => (name(left) < name(right) ? -1 : 1));
}

/** All of them or none. */
async function moveAll(moves: readonly Move[]): Promise<void> {
  const locks: RolloutLock[] = [];
  try {
    for (const { file } of moves) {
      if (!fs.existsSync(file)) throw new RolloutError('not-found', `${file} does not exist`, { path: file });
      locks.push(lockRollout(file));
    }
    const done: Move[] = [];
    try {
      for (const move of moves) {
        moveRollout(move);
        done.unshift(move);
      }
    } catch (cause) {
      for (const move of done) moveBack(move);
      throw cause;
    }
  } finally {
    for (const lock of locks) lock.release();
  }
  const folders = moves.flatMap(({ file, folder }) => [folder, path.dirname(file)]);
  await Promise.all([...new Set(folders)].map(flushFolder));
}

function moveBack({ file, folder }: Move): void {
  try {
    moveFile(path.join(folder, path.basename(file)), file);
  } catch (error) {
    // What was to be moved says why it could not be. The thread is found with one file here and one there, too.
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function moveRollout({ file, folder }: Move): void {
  const target = path.join(folder, path.basename(file));
  try {
    makeFolder(folder);
    removeOldDrafts(folder);
    if (fs.existsSync(target)) throw Object.assign(new Error('there is one already'), { code: 'EEXIST' });
    moveFile(file, target);
  } catch (cause) {
    throw new RolloutError('not-writable', `${file} can not be moved to ${folder}: ${describeSystemError(cause)}`, {
      path: file,
      cause,
    });
  }
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
  const draft = draftOf(target);
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
