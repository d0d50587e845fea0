import { constants, type Stats } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { type BytePath, joinEntries, splitEntries, toSystemPath } from './byte-path.ts';
import type { SnapshotDraft } from './snapshot-store.ts';
import { listTracked } from './work-tree.ts';

export interface SizeLimits {
  /** Of one untracked file. */
  readonly maxFileBytes: number;
  /** Of all files that are read for one snapshot. */
  readonly maxTotalBytes: number;
}

/** Files that are there and not in the snapshot, by the reason. Directories end in `/`. */
export interface LeftOut {
  readonly ignored: readonly BytePath[];
  readonly tooLarge: readonly BytePath[];
  readonly unreadable: readonly BytePath[];
  readonly nested: readonly BytePath[];
}

export interface Scan {
  readonly leftOut: LeftOut;
  /** Permissions of files that were looked at, `undefined` for those that are gone. */
  readonly modes: ReadonlyMap<BytePath, number | undefined>;
}

/** How many files are asked for their size at once. */
const PARALLEL_LOOKS = 64;

/**
 * Brings the index of a draft up to date with the work tree: only files that look changed since the last time
 * are read. What is a file and what is ignored is git's answer; what git would run for it is switched off in
 * the store.
 */
export async function scanWorkTree(
  draft: SnapshotDraft,
  options: SizeLimits & { readonly signal: AbortSignal },
): Promise<Scan> {
  const { signal } = options;
  const { root } = draft.store.workTree;
  const [changed, untracked, ignored, wanted] = await Promise.all([
    draft.git(['diff-files', '--name-status', '--no-renames', '-z'], { signal }).then(splitEntries),
    draft.git(['ls-files', '-z', '-o', '--exclude-standard'], { signal }).then(splitEntries),
    draft
      .git(['ls-files', '-z', '-t', '-c', '-o', '-i', '--exclude-standard', '--directory'], { signal })
      .then(splitEntries),
    listTracked(root, { onlyIgnored: true, signal }).then(splitEntries),
  ]);
  const plan = planChanges({ changed, untracked, ignored, wanted });
  const found = await lookAtAll(plan.candidates, root, signal);
  const sorted = await applyLimits(found, { ...options, root });

  const removals = [...plan.removals, ...found.gone, ...sorted.tooLarge, ...found.unreadable];
  if (removals.length > 0) {
    await draft.git(['update-index', '--force-remove', '-z', '--stdin'], { signal, input: joinEntries(removals) });
  }
  if (sorted.kept.length > 0) {
    const input = joinEntries(sorted.kept);
    const args = ['update-index', '--add', '--remove', '--replace', '-z', '--stdin'];
    await draft.git(args, { signal, input, newCount: sorted.kept.length });
  }
  const modes = new Map<BytePath, number | undefined>(removals.map((path) => [path, undefined]));
  for (const path of sorted.kept) modes.set(path, permissionsOf(found.files.get(path)));
  const { tooLarge } = sorted;
  return { leftOut: { ignored: plan.ignored, nested: plan.nested, tooLarge, unreadable: found.unreadable }, modes };
}

/** Ignored files stay out, but for those that the user's repository tracks all the same. */
function planChanges(listed: {
  readonly changed: readonly string[];
  readonly untracked: readonly BytePath[];
  readonly ignored: readonly string[];
  readonly wanted: readonly BytePath[];
}) {
  const wanted = new Set(listed.wanted);
  const removals = new Set<BytePath>();
  const candidates = new Set<BytePath>(wanted);
  const ignored: BytePath[] = [];
  const nested: BytePath[] = [];
  for (let index = 0; index + 1 < listed.changed.length; index += 2) {
    const [status, path] = [listed.changed[index], listed.changed[index + 1] ?? ''];
    (status === 'D' ? removals : candidates).add(path);
  }
  for (const path of listed.untracked) {
    if (path.endsWith('/')) nested.push(path);
    else candidates.add(path);
  }
  for (const entry of listed.ignored) {
    const path = entry.slice(2); // `? ` or `H `
    if (wanted.has(path)) continue;
    ignored.push(path);
    if (!entry.startsWith('?')) removals.add(path);
  }
  for (const path of removals) candidates.delete(path);
  return { removals: [...removals], candidates: [...candidates], ignored, nested };
}

interface Found {
  readonly files: Map<BytePath, Stats>;
  /** No file or symbolic link any more. */
  readonly gone: BytePath[];
  readonly unreadable: BytePath[];
}

async function lookAtAll(paths: readonly BytePath[], root: string, signal: AbortSignal): Promise<Found> {
  const found: Found = { files: new Map(), gone: [], unreadable: [] };
  for (let start = 0; start < paths.length; start += PARALLEL_LOOKS) {
    signal.throwIfAborted();
    await Promise.all(paths.slice(start, start + PARALLEL_LOOKS).map((path) => lookAt(path, root, found)));
  }
  return found;
}

async function lookAt(path: BytePath, root: string, found: Found): Promise<void> {
  const systemPath = toSystemPath(root, path);
  const stats = await lstat(systemPath).catch(() => undefined);
  if (stats === undefined || !(stats.isFile() || stats.isSymbolicLink())) {
    found.gone.push(path);
    return;
  }
  const isReadable =
    stats.isSymbolicLink() ||
    (await access(systemPath, constants.R_OK).then(
      () => true,
      () => false,
    ));
  if (isReadable) found.files.set(path, stats);
  else found.unreadable.push(path);
}

/** The limits are for untracked files, of which the smaller ones are kept; what the user tracks is kept whatever its size. */
async function applyLimits(
  found: Found,
  options: SizeLimits & { readonly root: string; readonly signal: AbortSignal },
): Promise<{ readonly kept: readonly BytePath[]; readonly tooLarge: readonly BytePath[] }> {
  const sizes = [...found.files].map(([path, { size }]) => ({ path, size }));
  const totalBytes = sizes.reduce((sum, { size }) => sum + size, 0);
  if (totalBytes <= options.maxTotalBytes && sizes.every(({ size }) => size <= options.maxFileBytes)) {
    return { kept: [...found.files.keys()], tooLarge: [] };
  }
  const tracked = new Set(
    splitEntries(await listTracked(options.root, { onlyIgnored: false, signal: options.signal })),
  );
  const [kept, tooLarge]: [BytePath[], BytePath[]] = [[], []];
  let keptBytes = 0;
  for (const { path, size } of sizes.toSorted((a, b) => a.size - b.size || (a.path < b.path ? -1 : 1))) {
    const fits = size <= options.maxFileBytes && keptBytes + size <= options.maxTotalBytes;
    (fits || tracked.has(path) ? kept : tooLarge).push(path);
    if (fits) keptBytes += size;
  }
  return { kept, tooLarge };
}

function permissionsOf(stats: Stats | undefined): number | undefined {
  return stats?.isFile() === true ? stats.mode & 0o7777 : undefined;
}
