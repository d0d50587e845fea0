import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitRun, isolatedEnvironment, runGit } from '../git/run-git.ts';
import { runProgram } from '../process/run-program.ts';
import { exists, snapshotsDirectory } from './snapshot-store.ts';
import { REFERENCE_PREFIX } from './take-snapshot.ts';

/** Of the last time that a store was looked at. */
const STAMP = 'pruned';
/** There since snapshots were removed, until what only they needed is gone as well. */
const UNFINISHED = 'unfinished';
const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;
/** For a pass over everything in a store. */
const REPACK_MS = 10 * 60 * 1000;

export interface PruneOptions {
  readonly home: string;
  readonly signal: AbortSignal;
  readonly keepCount: number;
  readonly keepMs: number;
  /** What the snapshots of one work tree may take together. */
  readonly maxStoreBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Removes old snapshots and what only they needed, from each store at most once a day; in an hour again when it was
 * stopped. What is younger than an hour stays: it may be part of a snapshot in the making.
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
      if (options.signal.aborted) await noteTime(directory, options.now - DAY_MS + HOUR_MS).catch(() => undefined);
      options.signal.throwIfAborted(); // else: it is used as it is, and looked at again another day
    }
  }
}

async function pruneStore(directory: string, options: PruneOptions): Promise<void> {
  const { signal, now } = options;
  await removeLeftovers(directory, now);
  const run = { cwd: directory, signal, environment: { ...isolatedEnvironment(), GIT_DIR: directory } };
  const listed = await runGit(['for-each-ref', '--format=%(refname)', REFERENCE_PREFIX], run);
  const references = listed
    .split('\n')
    .filter((line) => line !== '')
    .toSorted(newestFirst);
  const young = references.slice(0, options.keepCount).filter((name) => timeOf(name) > now - options.keepMs);
  const kept = await newestThatFit(young, { maxBytes: options.maxStoreBytes, run }).catch(() => young);
  signal.throwIfAborted();
  if (kept.length === 0 && !(await hasWorkTree(directory))) {
    await rm(directory, { recursive: true, force: true });
    return;
  }
  const unfinished = join(directory, UNFINISHED);
  const keptNames = new Set(kept);
  const removed = references.filter((name) => !keptNames.has(name));
  if (removed.length > 0) {
    const input = removed.map((name) => `delete ${name}\n`).join('');
    await writeFile(unfinished, '');
    await runGit(['update-ref', '--stdin'], { ...run, input });
  }
  // What is new is packed first: that takes the shorter time, and stays done when the rest is stopped.
  if (!(await hasPassed(['repack', '-d', '-l', '-q'], run))) return;
  if (!(await exists(unfinished))) return;
  if (!(await hasPassed(['repack', '-d', '-l', '-q', '-A', '--unpack-unreachable=1.hour.ago'], run))) return;
  if (await hasPassed(['prune', '--expire=1.hour.ago'], run)) await rm(unfinished, { force: true });
}

/** A pass over the whole store. Has processes of its own, which end with it. Whatever else there is to do goes first. */
async function hasPassed(args: readonly string[], { cwd, environment, signal }: GitRun): Promise<boolean> {
  const argv =
    process.platform === 'win32' ? (['git', ...args] as const) : (['nice', '-n', '5', 'git', ...args] as const);
  const end = await runProgram({ argv, cwd, environment, signal, timeoutMs: REPACK_MS });
  return end.kind === 'exited' && end.exitCode === 0;
}

/** Of snapshots in the making, and of packs, whose process was killed. */
async function removeLeftovers(directory: string, now: number): Promise<void> {
  const drafts = join(directory, 'tmp');
  for (const name of await readdir(drafts).catch((): string[] => [])) await removeIfOld(join(drafts, name), now);
  const packs = join(directory, 'objects/pack');
  for (const name of await readdir(packs).catch((): string[] => [])) {
    if (/^(?:\.tmp-|tmp_)/.test(name)) await removeIfOld(join(packs, name), now);
  }
}

/** The newest that have room together; the last one is kept whatever its size, so that there is always an undo. */
async function newestThatFit(
  references: readonly string[],
  { maxBytes, run }: { readonly maxBytes: number; readonly run: GitRun },
): Promise<readonly string[]> {
  const fits = async (count: number): Promise<boolean> => {
    const size = await runGit(['rev-list', '--objects', '--disk-usage', ...references.slice(0, count)], run);
    return Number(size) <= maxBytes;
  };
  let least = Math.min(1, references.length);
  let most = references.length;
  while (least < most) {
    const tried = most === references.length ? most : Math.ceil((least + most) / 2);
    if (await fits(tried)) least = tried;
    else most = tried - 1;
  }
  return references.slice(0, least);
}

/** The note of the last time is made first: a store that can not be pruned is not tried at every occasion. */
async function isDue(directory: string, now: number): Promise<boolean> {
  const last = await stat(join(directory, STAMP)).catch(() => undefined);
  if (last !== undefined && last.mtimeMs > now - DAY_MS) return false;
  if (!(await exists(join(directory, 'HEAD')))) return false;
  await noteTime(directory, now);
  return true;
}

async function noteTime(directory: string, timeMs: number): Promise<void> {
  const stamp = join(directory, STAMP);
  await writeFile(stamp, '');
  await utimes(stamp, timeMs / 1000, timeMs / 1000);
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
