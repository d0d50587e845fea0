import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GitError } from '../git/run-git.ts';
import { systemReason } from '../system-reason.ts';
import { type BytePath, toText } from './byte-path.ts';
import { clearInterruptedRestores } from './interrupted-restores.ts';
import { type LeftOut, type SizeLimits, scanWorkTree } from './scan-work-tree.ts';
import { formatRecord, keepModes, type SnapshotRecord, updateModes } from './snapshot-record.ts';
import { exists, forgetIndex, openStore, SnapshotDraft, type SnapshotStore, storeKey } from './snapshot-store.ts';
import { findWorkTree, type WorkTree } from './work-tree.ts';

export const REFERENCE_PREFIX = 'refs/snapshots/';

export interface Snapshot {
  readonly id: string;
  readonly tree: string;
  readonly record: SnapshotRecord;
  readonly leftOut: LeftOut;
}

export interface TakeOptions extends SizeLimits {
  readonly home: string;
  readonly signal: AbortSignal;
}

export type TakeResult =
  | {
      readonly kind: 'taken';
      readonly snapshot: Snapshot;
      readonly store: SnapshotStore;
      /** Folders with originals that restores did not come to put back. */
      readonly interrupted: readonly string[];
    }
  | { readonly kind: 'none'; readonly reason: string };

/** Rejects only with the reason of the signal. */
export async function takeSnapshot(cwd: string, options: TakeOptions): Promise<TakeResult> {
  try {
    const found = await findWorkTree(cwd, options.signal);
    if (found.root === undefined) return { kind: 'none', reason: found.reason };
    return await takeOf(found, options);
  } catch (error) {
    options.signal.throwIfAborted();
    const reason = error instanceof GitError ? error.message : systemReason(error);
    return { kind: 'none', reason: `the files could not be kept (${reason})` };
  }
}

async function takeOf(workTree: WorkTree, options: TakeOptions): Promise<TakeResult> {
  if (workTree.root === options.home) {
    return { kind: 'none', reason: `${workTree.root} holds the program's own files, which have no undo` };
  }
  const store = await openStore(options.home, workTree);
  const taken = { kind: 'taken', store, interrupted: await clearInterruptedRestores(workTree.root) } as const;
  if (await exists(join(store.directory, 'index'))) {
    try {
      return { ...taken, snapshot: await takeInto(store, { ...options, continues: true }) };
    } catch {
      options.signal.throwIfAborted();
      await forgetIndex(store); // damaged, or objects it names are lost: everything is read again
    }
  }
  return { ...taken, snapshot: await takeInto(store, { ...options, continues: false }) };
}

async function takeInto(
  store: SnapshotStore,
  options: TakeOptions & { readonly continues: boolean },
): Promise<Snapshot> {
  const { signal } = options;
  await using draft = await SnapshotDraft.open(store, options);
  const { leftOut, modes: seen } = await scanWorkTree(draft, options);
  const modes = await updateModes(store, seen, options);
  const record = { leftOut: Object.values(leftOut).flat(), modes };
  const [tree, blob] = await Promise.all([
    draft.git(['write-tree'], { signal }),
    draft.git(['hash-object', '-w', '--no-filters', '--stdin'], { signal, input: formatRecord(record) }),
  ]);
  const entries = `100644 blob ${blob.trim()}\trecord\n040000 tree ${tree.trim()}\tfiles\n`;
  const objectId = (await draft.git(['mktree'], { signal, input: entries })).trim();
  const name = `${Date.now()}-${randomBytes(4).toString('hex')}`;
  await draft.keep(`${REFERENCE_PREFIX}${name}`, objectId, signal);
  await keepModes(store, modes);
  return { id: `${storeKey(store.workTree.root)}/${name}/${objectId}`, tree: tree.trim(), record, leftOut };
}

/** Names shown at once. */
const MAX_NAMES = 3;

/** What is not in the snapshot though somebody may expect it, which ignored files are not; and what restores left. */
export function describeSnapshot(
  leftOut: LeftOut,
  { interrupted }: { readonly interrupted: readonly string[] },
): string | undefined {
  const notes = [describeLeftOut(leftOut), describeInterrupted(interrupted)].filter((note) => note !== undefined);
  return notes.length === 0 ? undefined : notes.join('. ');
}

function describeInterrupted(folders: readonly string[]): string | undefined {
  if (folders.length === 0) return undefined;
  return `an interrupted undo left files in ${folders.join(', ')}: move back what is missing and remove the folder`;
}

function describeLeftOut(leftOut: LeftOut): string | undefined {
  const parts = [
    describe(leftOut.tooLarge, 'too large'),
    describe(leftOut.unreadable, 'not readable'),
    describe(leftOut.nested, 'a repository of its own'),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : `not covered by undo: ${parts.join('; ')}`;
}

function describe(paths: readonly BytePath[], reason: string): string | undefined {
  return paths.length === 0 ? undefined : `${namePaths(paths)} (${reason})`;
}

/** The first few, and how many more. */
export function namePaths(paths: readonly BytePath[]): string {
  const names = paths.slice(0, MAX_NAMES).map(toText).join(', ');
  return paths.length > MAX_NAMES ? `${names} and ${paths.length - MAX_NAMES} more` : names;
}
