import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError, isolatedEnvironment, runGit } from '../git/run-git.ts';
import { systemReason } from '../system-reason.ts';
import { type BytePath, joinEntries, parentsOf, splitEntries, toSystemPath, toText } from './byte-path.ts';
import { changeFiles, type FileChanges } from './change-files.ts';
import { SnapshotError } from './snapshot-error.ts';
import { parseRecord, type SnapshotRecord, usualMode } from './snapshot-record.ts';
import { SnapshotDraft, type SnapshotStore, STAGING_PREFIX, storeKey } from './snapshot-store.ts';
import { REFERENCE_PREFIX, type Snapshot, type TakeOptions, takeSnapshot } from './take-snapshot.ts';
import { type Difference, keepUnkept, readDifferences } from './unkept-files.ts';

const ID = /^([0-9a-f]{24})\/([0-9]+-[0-9a-f]{8})\/([0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Compares a snapshot of the present with the one to go back to and changes only the files that differ. The
 * snapshot of the present stays in the store, so that nothing is lost by a restore.
 */
export async function restoreSnapshot(
  id: string,
  options: TakeOptions & { readonly cwd: string },
): Promise<readonly string[]> {
  const { signal } = options;
  const [, key, name, objectId = ''] = ID.exec(id) ?? [];
  if (key === undefined) throw new SnapshotError('not-found', `${JSON.stringify(id)} is no snapshot of this program`);
  const present = await takeSnapshot(options.cwd, options);
  if (present.kind === 'none') {
    throw new SnapshotError('unavailable', `nothing was restored: ${present.reason}`);
  }
  const { store, snapshot } = present;
  if (storeKey(store.workTree.root) !== key) {
    const message = `nothing was restored: the snapshot is of another work tree than ${store.workTree.root}; go there`;
    throw new SnapshotError('wrong-place', message);
  }
  const reference = `${REFERENCE_PREFIX}${name}`;
  const record = await readRecord(store, { objectId, reference, signal });
  return restoreFrom(store, { present: snapshot, target: { tree: `${objectId}:files`, record }, signal });
}

async function readRecord(
  store: SnapshotStore,
  target: { readonly objectId: string; readonly reference: string; readonly signal: AbortSignal },
): Promise<SnapshotRecord> {
  const run = { cwd: store.directory, signal: target.signal };
  const environment = { ...isolatedEnvironment(), GIT_DIR: store.directory };
  try {
    await runGit(['rev-parse', '--verify', '--quiet', target.reference], { ...run, environment });
    return parseRecord(await runGit(['cat-file', 'blob', `${target.objectId}:record`], { ...run, environment }));
  } catch (cause) {
    target.signal.throwIfAborted();
    const message = `nothing was restored: the snapshot is no longer in ${store.directory}; older ones are removed after a while`;
    throw new SnapshotError('not-found', message, { cause });
  }
}

async function restoreFrom(
  store: SnapshotStore,
  restore: {
    readonly present: Snapshot;
    readonly target: { readonly tree: string; readonly record: SnapshotRecord };
    readonly signal: AbortSignal;
  },
): Promise<readonly string[]> {
  const { present, target, signal } = restore;
  await using draft = await SnapshotDraft.open(store, { continues: false });
  const { root } = store.workTree;
  const listing = await draft.git(['diff-tree', '-r', '-z', '--no-renames', present.tree, target.tree], { signal });
  const kept = await draft.git(['ls-tree', '-r', '-z', '--name-only', target.tree], { signal });
  const differences = readDifferences(splitEntries(listing));
  const unkept = new Set(present.record.leftOut);
  const endangered = differences.filter(({ path, objectId }) => objectId !== undefined && isAmong(unkept, path));
  const plan = planRestore(differences, target.record, await keepUnkept(endangered, { root, signal }));
  const modes = await findModes(splitEntries(kept), { root, written: new Set(plan.writes), target: target.record });
  const changes: FileChanges = { ...plan, modes };
  const changed = new Set([...plan.writes, ...plan.removals, ...modes.keys()]);
  if (changed.size === 0) return [];
  let staging: string | undefined;
  let holdsOriginals = false;
  try {
    staging = await mkdtemp(join(root, STAGING_PREFIX));
    await extract(draft, { tree: target.tree, paths: changes.writes, directory: join(staging, 'new'), signal });
    await changeFiles(changes, { root, staging, signal });
  } catch (cause) {
    holdsOriginals = cause instanceof SnapshotError && cause.code === 'rollback-failed';
    if (!holdsOriginals) signal.throwIfAborted();
    if (cause instanceof SnapshotError) throw cause;
    const reason = cause instanceof GitError ? cause.message : systemReason(cause);
    throw new SnapshotError('restore-failed', `nothing was restored in ${root}: ${reason}`, { cause });
  } finally {
    if (staging !== undefined && !holdsOriginals)
      await rm(staging, { recursive: true, force: true }).catch(ignoreLitter);
  }
  return [...changed].map((path) => join(root, toText(path))).toSorted();
}

/** @param same paths whose files are what they are to become already */
function planRestore(
  differences: readonly Difference[],
  target: SnapshotRecord,
  same: ReadonlySet<BytePath>,
): Omit<FileChanges, 'modes'> {
  const writes: BytePath[] = [];
  const removals: BytePath[] = [];
  const leftOut = new Set(target.leftOut);
  for (const { path, objectId } of differences) {
    if (objectId === undefined) {
      if (!isAmong(leftOut, path)) removals.push(path);
    } else if (!same.has(path)) writes.push(path);
  }
  return { writes, removals };
}

/** Asks every file: git notes times in seconds and misses a change of permissions within one. */
async function findModes(
  paths: readonly BytePath[],
  options: { readonly root: string; readonly written: ReadonlySet<BytePath>; readonly target: SnapshotRecord },
): Promise<Map<BytePath, number>> {
  const modes = new Map<BytePath, number>();
  const umask = process.umask();
  for (const path of paths) {
    const recorded = options.target.modes.get(path);
    if (options.written.has(path)) {
      if (recorded !== undefined) modes.set(path, recorded);
      continue;
    }
    const stats = await lstat(toSystemPath(options.root, path)).catch(() => undefined);
    if (stats?.isFile() !== true) continue; // not among the writes, so it is a link, or gone this moment
    const wanted = recorded ?? usualMode(stats.mode, umask);
    if ((stats.mode & 0o7777) !== wanted) modes.set(path, wanted);
  }
  return modes;
}

/** Whether a path, or a directory that it is in, was there without being part of the snapshot. */
function isAmong(leftOut: ReadonlySet<BytePath>, path: BytePath): boolean {
  return leftOut.has(path) || parentsOf(path).some((parent) => leftOut.has(`${parent}/`) || leftOut.has(parent));
}

/** All content is there, whole, before the first file of the user is touched. */
async function extract(
  draft: SnapshotDraft,
  options: {
    readonly tree: string;
    readonly paths: readonly BytePath[];
    readonly directory: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { signal, directory } = options;
  await mkdir(directory);
  if (options.paths.length === 0) return;
  await draft.git(['read-tree', options.tree], { signal });
  const input = joinEntries(options.paths);
  await draft.git(['checkout-index', '-f', '-z', '--stdin'], { signal, input, root: directory });
}

/** The files are restored; a left folder is excluded from snapshots and is no reason to report otherwise. */
function ignoreLitter(): void {
  return;
}
