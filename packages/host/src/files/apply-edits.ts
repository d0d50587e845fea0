import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, chmod, chown, copyFile, link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileEdit } from '@quire/core';
import { systemErrorCode } from '@quire/files';
import { systemReason } from '../system-reason.ts';
import { resolveEntry, resolveTarget } from './resolve-target.ts';
import { writeInPlace } from './write-in-place.ts';

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

/** The calls whose failure decides how an existing file is written. Tests put failing ones here. */
interface DecidingCalls {
  readonly access: (path: string, mode: number) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
}

/** What `access` says of a file that this user, or nobody at all, may write. */
const PROTECTED: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Why a file that may be written can not be replaced by another: its directory may not be written (or only by
 * the owners of its files, as `/tmp`), or it is a mount point of its own, as in containers.
 */
const NOT_REPLACEABLE: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV']);

/** How to take one step back, and what to clear away when no step back is needed any more. */
interface Step {
  readonly path: string;
  readonly undo: () => Promise<unknown>;
  readonly discard?: () => Promise<unknown>;
}

/**
 * Makes all edits in order or, when one fails, none. Each file changes in one step: the new content is
 * written beside it and renamed over it. An original is kept as a second link to the very same file, so
 * that going back needs no space and restores it whole. A file that has several names or can not be replaced
 * is written in place instead; one that this user may not write is not touched, though renaming would work.
 */
export async function applyEdits(edits: readonly FileEdit[], calls: DecidingCalls = { access, rename }): Promise<void> {
  const steps: Step[] = [];
  for (const [index, edit] of edits.entries()) {
    const isLast = index === edits.length - 1; // nothing after it can fail, so its original is not needed
    try {
      if (edit.kind === 'write') await writeText(edit, { steps, keepsOriginal: !isLast, calls });
      else await deleteFile(edit, { steps, keepsOriginal: !isLast, calls });
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
  readonly calls: DecidingCalls;
}

async function writeText(edit: Extract<FileEdit, { kind: 'write' }>, journal: Journal): Promise<void> {
  const target = await resolveTarget(edit.path);
  refuseElsewhere(target, edit);
  const existing = await statIfPresent(target);
  if (existing?.isDirectory()) throw new Error('it is a directory');
  if (existing !== undefined && !existing.isFile()) throw new Error('it is not a regular file');
  if (existing === undefined) {
    await makeParents(target, edit.path, journal.steps);
    return replaceFile(target, { ...edit, existing }, journal);
  }
  await refuseIfProtected(target, journal.calls);
  if (existing.nlink === 1) {
    try {
      return await replaceFile(target, { ...edit, existing }, journal);
    } catch (error) {
      if (!NOT_REPLACEABLE.has(systemErrorCode(error))) throw error;
    }
  }
  await writeInPlace(target, edit.text, (undo) => journal.steps.push({ path: edit.path, undo }));
}

async function refuseIfProtected(target: string, calls: DecidingCalls): Promise<void> {
  try {
    await calls.access(target, constants.W_OK);
  } catch (cause) {
    if (!PROTECTED.has(systemErrorCode(cause))) throw cause;
    const message = `it is write-protected (${systemReason(cause)}); make it writable first if it is to be changed`;
    throw new Error(message, { cause });
  }
}

/** Changes nothing when it fails. */
async function replaceFile(
  target: string,
  content: { readonly path: string; readonly text: string; readonly existing: Stats | undefined },
  journal: Journal,
): Promise<void> {
  const { path, text, existing } = content;
  const temporary = siblingName(target);
  let original: Step | undefined;
  try {
    await writeNew(temporary, text, existing);
    original = await keepOriginal(target, path, { existing, keepsOriginal: journal.keepsOriginal });
    await journal.calls.rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(ignoreLitter);
    await original?.discard?.().catch(ignoreLitter);
    throw error;
  }
  if (original !== undefined) journal.steps.push(original);
}

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
    await copyFile(target, original, constants.COPYFILE_EXCL); // no hard links, or not to files of others
    await takeOver(original, options.existing);
  }
  // Renaming a link over another link to the same file does nothing, hence the unlink afterwards.
  const undo = async (): Promise<void> => {
    await rename(original, target);
    await unlinkIfPresent(original);
  };
  return { path, undo, discard: () => unlink(original) };
}

/** Somebody may have put a link into the way since the place was allowed. */
function refuseElsewhere(target: string, allowed: Pick<FileEdit, 'target'>): void {
  if (allowed.target === undefined || allowed.target === target) return;
  throw new Error(`it leads to ${target} now, which is not what was allowed`);
}

async function deleteFile(edit: Extract<FileEdit, { kind: 'delete' }>, journal: Journal): Promise<void> {
  const target = await resolveEntry(edit.path);
  refuseElsewhere(target, edit);
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
      if (systemErrorCode(error) !== 'EPERM') throw error; // only root gives files away; the mode still holds
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
        if (systemErrorCode(error) !== 'ENOTEMPTY') throw error; // somebody else put something there meanwhile
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
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function unlinkIfPresent(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  });
}

/** The edits themselves are made or undone; a left temporary file is no reason to report otherwise. */
function ignoreLitter(): void {
  return;
}
