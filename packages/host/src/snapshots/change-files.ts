import type { Stats } from 'node:fs';
import { chmod, link, lstat, mkdir, rename, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '@quire/files';
import { systemReason } from '../system-reason.ts';
import { type BytePath, parentsOf, toSystemPath, toText } from './byte-path.ts';
import { SnapshotError } from './snapshot-error.ts';

export interface FileChanges {
  /** Their new content waits in `new/` of the staging directory. */
  readonly writes: readonly BytePath[];
  readonly removals: readonly BytePath[];
  readonly modes: ReadonlyMap<BytePath, number>;
}

type Step = () => Promise<void>;

/**
 * Makes all changes or none. A file changes in one step, by a rename; its original is kept under its own path in
 * `old/` of the staging directory until all is done, and stays there when it can not be put back.
 */
export async function changeFiles(
  changes: FileChanges,
  place: { readonly root: string; readonly staging: string; readonly signal: AbortSignal },
): Promise<void> {
  const undoSteps: Step[] = [];
  let current: BytePath = '';
  await mkdir(join(place.staging, 'old'));
  const work = { ...place, undoSteps, safeDirectories: new Set<BytePath>() };
  try {
    for (const path of changes.removals) {
      place.signal.throwIfAborted();
      current = path;
      await removeFile(path, work);
    }
    for (const path of changes.writes) {
      place.signal.throwIfAborted();
      current = path;
      await putFile(path, changes.modes.get(path), work);
    }
    const written = new Set(changes.writes);
    for (const [path, mode] of changes.modes) {
      if (written.has(path)) continue;
      current = path;
      await changeMode(path, mode, work);
    }
  } catch (cause) {
    await undoAll(undoSteps, place);
    place.signal.throwIfAborted();
    const message = `nothing was restored: ${join(place.root, toText(current))} could not be put back (${systemReason(cause)})`;
    throw new SnapshotError('restore-failed', message, { cause });
  }
}

interface Work {
  readonly root: string;
  readonly staging: string;
  readonly undoSteps: Step[];
  /** Known to be real directories, not links that lead out of the work tree. */
  readonly safeDirectories: Set<BytePath>;
}

async function removeFile(path: BytePath, work: Work): Promise<void> {
  const target = toSystemPath(work.root, path);
  const original = await backupPath(path, work);
  await rename(target, original);
  work.undoSteps.push(() => rename(original, target));
  for (const parent of parentsOf(path).toReversed()) {
    const directory = toSystemPath(work.root, parent);
    const { mode } = await lstat(directory);
    try {
      await rmdir(directory);
    } catch {
      return; // it holds something else, or may not be removed: an empty directory is no file
    }
    work.undoSteps.push(() => makeDirectory(directory, mode));
  }
}

async function putFile(path: BytePath, mode: number | undefined, work: Work): Promise<void> {
  await ensureParents(path, work);
  const target = toSystemPath(work.root, path);
  const fresh = toSystemPath(join(work.staging, 'new'), path);
  if (mode !== undefined) await chmod(fresh, mode); // while nobody else can reach it
  const existing = await statIfPresent(target);
  if (existing === undefined) {
    work.undoSteps.push(() => unlink(target));
  } else if (existing.isDirectory()) {
    await rmdir(target);
    work.undoSteps.push(() => makeDirectory(target, existing.mode));
    work.undoSteps.push(() => unlink(target));
  } else {
    const original = await backupPath(path, work);
    await link(target, original);
    work.undoSteps.push(() => rename(original, target));
  }
  try {
    await rename(fresh, target);
  } catch (error) {
    work.undoSteps.pop(); // the target is what it was
    throw error;
  }
}

async function changeMode(path: BytePath, mode: number, work: Work): Promise<void> {
  const target = toSystemPath(work.root, path);
  const stats = await statIfPresent(target);
  if (stats?.isFile() !== true) return;
  await chmod(target, mode);
  work.undoSteps.push(() => chmod(target, stats.mode & 0o7777));
}

async function ensureParents(path: BytePath, work: Work): Promise<void> {
  for (const parent of parentsOf(path)) {
    if (work.safeDirectories.has(parent)) continue;
    const directory = toSystemPath(work.root, parent);
    const stats = await statIfPresent(directory);
    if (stats === undefined) {
      await mkdir(directory);
      work.undoSteps.push(() => rmdir(directory));
    } else if (!stats.isDirectory()) {
      throw new Error(`${toText(parent)} is no directory; move it away`);
    }
    work.safeDirectories.add(parent);
  }
}

async function undoAll(
  steps: readonly Step[],
  { root, staging }: { readonly root: string; readonly staging: string },
): Promise<void> {
  let failure: unknown;
  for (const undo of steps.toReversed()) await undo().catch((error: unknown) => (failure ??= error));
  if (failure === undefined) return;
  const message = `the restore stopped half-way in ${root} (${systemReason(failure)}); files that are not back are in ${join(staging, 'old')}; move them back when that is solved`;
  throw new SnapshotError('rollback-failed', message, { cause: failure });
}

async function makeDirectory(directory: Buffer, mode: number): Promise<void> {
  await mkdir(directory);
  await chmod(directory, mode & 0o7777);
}

/** No two originals can be in each other's way: they were in one work tree. */
async function backupPath(path: BytePath, work: Work): Promise<Buffer> {
  const old = join(work.staging, 'old');
  const directory = parentsOf(path).at(-1);
  if (directory !== undefined) await mkdir(toSystemPath(old, directory), { recursive: true });
  return toSystemPath(old, path);
}

async function statIfPresent(path: Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
