import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { systemErrorCode } from '@quire/files';
import { type BytePath, toSystemPath } from './byte-path.ts';
import { SnapshotError } from './snapshot-error.ts';
import { namePaths } from './take-snapshot.ts';

/** A path that two trees have not in common. */
export interface Difference {
  readonly path: BytePath;
  /** What the second tree has there; `undefined` when it has nothing. */
  readonly objectId: string | undefined;
  /** As git writes it, such as `100644`. */
  readonly mode: string;
}

/** @param entries of `git diff-tree -z`: `:MODE MODE OBJECT OBJECT STATUS`, then the path */
export function readDifferences(entries: readonly string[]): Difference[] {
  const differences: Difference[] = [];
  for (let index = 0; index + 1 < entries.length; index += 2) {
    const [facts = '', path = ''] = [entries[index], entries[index + 1]];
    const [, mode = '', , objectId, status] = facts.split(' ');
    differences.push({ path, mode, objectId: status === 'D' ? undefined : objectId });
  }
  return differences;
}

/**
 * Of paths to write that are in no snapshot of the present those whose files are what they are to become.
 * @throws SnapshotError 'unkept-files' when one has contents that would be lost
 */
export async function keepUnkept(
  differences: readonly Difference[],
  options: { readonly root: string; readonly signal: AbortSignal },
): Promise<ReadonlySet<BytePath>> {
  const same = new Set<BytePath>();
  const lost: BytePath[] = [];
  for (const difference of differences) {
    options.signal.throwIfAborted();
    const state = await compare(difference, options.root);
    if (state === 'same') same.add(difference.path);
    if (state === 'other') lost.push(difference.path);
  }
  if (lost.length === 0) return same;
  const message = `nothing was restored in ${options.root}: the present contents of ${namePaths(lost)} are in no snapshot and would be lost; move them away and try again`;
  throw new SnapshotError('unkept-files', message);
}

/** `free`: writing there loses no contents. A directory is only removed when it is empty. */
async function compare(difference: Difference, root: string): Promise<'free' | 'same' | 'other'> {
  const path = toSystemPath(root, difference.path);
  try {
    const stats = await lstat(path);
    if (stats.isDirectory()) return 'free';
    if (stats.isSymbolicLink()) {
      const link = await readlink(path, { encoding: 'buffer' });
      return difference.mode === '120000' && hash(link.length).update(link).digest('hex') === difference.objectId
        ? 'same'
        : 'other';
    }
    if (!stats.isFile()) return 'other';
    const digest = hash(stats.size);
    await pipeline(createReadStream(path), digest);
    if (digest.digest('hex') !== difference.objectId) return 'other';
    const mode = (stats.mode & constants.S_IXUSR) === 0 ? '100644' : '100755';
    return mode === difference.mode ? 'same' : 'free';
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR' ? 'free' : 'other';
  }
}

/** The name of a content in a store, whose format is SHA-1. Source: git-hash-object(1). */
function hash(size: number): ReturnType<typeof createHash> {
  return createHash('sha1').update(`blob ${size}\0`);
}
