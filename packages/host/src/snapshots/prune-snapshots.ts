import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isolatedEnvironment, runGit } from '../git/run-git.ts';
import { exists, snapshotsDirectory } from './snapshot-store.ts';
import { REFERENCE_PREFIX } from './take-snapshot.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;

export interface PruneOptions {
  readonly home: string;
  readonly signal: AbortSignal;
  readonly keepCount: number;
  readonly keepMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Removes old snapshots and what only they needed, from each store at most once a day. What is younger than an
 * hour stays: it may be part of a snapshot in the making.
 */
export async function pruneStores(options: PruneOptions): Promise<void> {
  const parent = snapshotsDirectory(options.home);
  const names = await readdir(parent).catch((): string[] => []);
  for (const name of names) {
    options.signal.throwIfAborted();
    const directory = join(parent, name);
    try {
      if (name.startsWith('.new-')) await removeIfOld(directory, options.now);
      else if (await isDue(directory, options.now)) await pruneStore(directory, options);
    } catch {
      options.signal.throwIfAborted(); // else: it is used as it is, and looked at again another day
    }
  }
}

async function pruneStore(directory: string, options: PruneOptions): Promise<void> {
  const { signal, now } = options;
  for (const name of await readdir(join(directory, 'tmp')).catch((): string[] => [])) {
    await removeIfOld(join(directory, 'tmp', name), now);
  }
  const run = { cwd: directory, signal, environment: { ...isolatedEnvironment(), GIT_DIR: directory } };
  const listed = await runGit(['for-each-ref', '--format=%(refname)', REFERENCE_PREFIX], run);
  const references = listed
    .split('\n')
    .filter((line) => line !== '')
    .toSorted(newestFirst);
  const kept = references.slice(0, options.keepCount).filter((name) => timeOf(name) > now - options.keepMs);
  if (kept.length === 0 && !(await hasWorkTree(directory))) {
    await rm(directory, { recursive: true, force: true });
    return;
  }
  const keptNames = new Set(kept);
  const removed = references.filter((name) => !keptNames.has(name));
  if (removed.length > 0) {
    const input = removed.map((name) => `delete ${name}\n`).join('');
    await runGit(['update-ref', '--stdin'], { ...run, input });
  }
  await runGit(['gc', '--quiet', '--prune=1.hour.ago'], run);
}

/** The note of the last time is made first: a store that can not be pruned is not tried at every occasion. */
async function isDue(directory: string, now: number): Promise<boolean> {
  const stamp = join(directory, 'pruned');
  const last = await stat(stamp).catch(() => undefined);
  if (last !== undefined && last.mtimeMs > now - DAY_MS) return false;
  if (!(await exists(join(directory, 'HEAD')))) return false;
  await writeFile(stamp, '');
  await utimes(stamp, now / 1000, now / 1000);
  return true;
}

async function hasWorkTree(directory: string): Promise<boolean> {
  const root = await readFile(join(directory, 'work-tree'), 'utf8').catch(() => '');
  return root !== '' && (await exists(root));
}

async function removeIfOld(path: string, now: number): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats !== undefined && stats.mtimeMs < now - HOUR_MS) await rm(path, { recursive: true, force: true });
}

/** Snapshots are named by the time they were taken at. */
function timeOf(reference: string): number {
  return Number.parseInt(reference.slice(REFERENCE_PREFIX.length), 10);
}

function newestFirst(a: string, b: string): number {
  return timeOf(b) - timeOf(a);
}
