import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, chown, copyFile, link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileEdit } from '@quire/core';
import { systemCode, systemReason } from '../system-reason.ts';
import { resolveEntry, resolveTarget } from './resolve-target.ts';

export type FileEditErrorCode = 'write-failed' | 'delete-failed' | 'rollback-failed';

/** An edit could not be made. Unless the code is `rollback-failed`, every file is as it was before. */
export class FileEditError extends Error {
  override readonly name = 'FileEditError';
  readonly code: FileEditErrorCode;
  /** The file as the caller named it. */
  readonly path: string;

  constructor(code: FileEditErrorCode, details: { path: string; reason: string; cause: unknown }) {
    const verb = code === 'delete-failed' ? 'delete' : code === 'write-failed' ? 'write' : 'restore';
    super(`could not ${verb} ${details.path}: ${details.reason}`, { cause: details.cause });
    this.code = code;
    this.path = details.path;
  }
}

/** How to take one step back, and what to clear away when no step back is needed any more. */
interface Step {
  readonly path: string;
  readonly undo: () => Promise<unknown>;
  readonly discard?: () => Promise<unknown>;
}

/**
 * Makes all edits in order or, when one fails, none. Each file changes in one step: the new content is
 * written beside it and renamed over it. An original is kept as a second link to the very same file, so
 * that going back needs no space and restores it whole.
 */
export async function applyEdits(edits: readonly FileEdit[]): Promise<void> {
  const steps: Step[] = [];
  for (const [index, edit] of edits.entries()) {
    const isLast = index === edits.length - 1; // nothing after it can fail, so its original is not needed
    try {
      if (edit.kind === 'write') await writeText(edit, { steps, keepsOriginal: !isLast });
      else await deleteFile(edit, { steps, keepsOriginal: !isLast });
    } catch (cause) {
      await undoAll(steps);
      const code = edit.kind === 'write' ? 'write-failed' : 'delete-failed';
      throw new FileEditError(code, { path: edit.path, reason: systemReason(cause), cause });
    }
  }
  for (const step of steps) await step.discard?.().catch(ignoreLitter);
}

async function undoAll(steps: readonly Step[]): Promise<void> {
  let failure: FileEditError | undefined;
  for (const { path, undo } of steps.toReversed()) {
    try {
      await undo();
    } catch (cause) {
      failure ??= new FileEditError('rollback-failed', { path, reason: systemReason(cause), cause });
    }
  }
  if (failure !== undefined) throw failure;
}

interface Journal {
  readonly steps: Step[];
  readonly keepsOriginal: boolean;
}

async function writeText(edit: { path: string; text: string }, journal: Journal): Promise<void> {
  const target = await resolveTarget(edit.path);
  const existing = await statIfPresent(target);
  if (existing?.isDirectory()) throw new Error('it is a directory');
  if (existing !== undefined && !existing.isFile()) throw new Error('it is not a regular file');
  if (existing === undefined) await makeParents(target, edit.path, journal.steps);

  const temporary = siblingName(target);
  try {
    await writeNew(temporary, edit.text, existing);
    const step = await keepOriginal(target, edit.path, { existing, keepsOriginal: journal.keepsOriginal });
    if (step !== undefined) journal.steps.push(step);
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(ignoreLitter);
    throw error;
  }
}

/** The step back has to work both before and after the new content took the place of the old. */
async function keepOriginal(
  target: string,
  path: string,
  options: { existing: Stats | undefined; keepsOriginal: boolean },
): Promise<Step | undefined> {
  if (!options.keepsOriginal) return undefined;
  if (options.existing === undefined) return { path, undo: () => unlinkIfPresent(target) };
  const original = siblingName(target);
  try {
    await link(target, original);
  } catch {
    await copyFile(target, original, constants.COPYFILE_EXCL); // a file system without hard links
    await takeOver(original, options.existing);
  }
  // Renaming a link over another link to the same file does nothing, hence the unlink afterwards.
  const undo = async (): Promise<void> => {
    await rename(original, target);
    await unlinkIfPresent(original);
  };
  return { path, undo, discard: () => unlink(original) };
}

async function deleteFile(edit: { path: string }, journal: Journal): Promise<void> {
  const target = await resolveEntry(edit.path);
  if ((await lstat(target)).isDirectory()) throw new Error('it is a directory');
  if (!journal.keepsOriginal) return unlink(target);
  const original = siblingName(target);
  await rename(target, original);
  const { path } = edit;
  journal.steps.push({ path, undo: () => rename(original, target), discard: () => unlink(original) });
}

async function writeNew(path: string, text: string, existing: Stats | undefined): Promise<void> {
  // A copy of a private file must at no moment be readable by others.
  await using file = await open(path, 'wx', existing === undefined ? 0o666 : 0o600);
  await file.writeFile(text, 'utf8');
  if (existing !== undefined) await takeOver(path, existing);
}

/** Owner first: changing it clears the set-user-id bit. */
async function takeOver(path: string, from: Stats): Promise<void> {
  const made = await lstat(path);
  if (made.uid !== from.uid || made.gid !== from.gid) {
    await chown(path, from.uid, from.gid).catch((error: unknown) => {
      if (systemCode(error) !== 'EPERM') throw error; // only root gives files away; the mode still holds
    });
  }
  await chmod(path, from.mode & 0o7777);
}

async function makeParents(target: string, path: string, steps: Step[]): Promise<void> {
  const parent = dirname(target);
  const firstMade = await mkdir(parent, { recursive: true });
  if (firstMade === undefined) return;
  const undo = async (): Promise<void> => {
    for (let directory = parent; directory.length >= firstMade.length; directory = dirname(directory)) {
      await rmdir(directory).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOTEMPTY') throw error; // somebody else put something there meanwhile
      });
    }
  };
  steps.push({ path, undo });
}

/** In the same directory, so that a rename stays within one file system. */
function siblingName(target: string): string {
  return join(dirname(target), `.quire-${randomBytes(6).toString('hex')}.tmp`);
}

async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function unlinkIfPresent(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
}

/** The edits themselves are made or undone; a left temporary file is no reason to report otherwise. */
function ignoreLitter(): void {
  return;
}
