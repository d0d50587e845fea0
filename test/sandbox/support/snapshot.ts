import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What must stay as it is, by path: kind, mode, owner, times, contents. */
export type Snapshot = ReadonlyMap<string, string>;

const PROTECTED_BELOW = /\/\.git(\/|$)/i;
const PROTECTED_AT_TOP = /^\/\.(codex|quire|agents|claude|vscode|cursor|gemini|envrc)(\/|$)/i;
const FOLDER_IN_ROOT = 'folder in a root';
/** Larger files are known by their size and times. */
const READ_BYTES = 65_536;

/** What a snapshot looks at; relative to the place. */
export interface Sights {
  /** What is protected in them counts, and nothing else. Not below one another. */
  readonly roots: readonly string[];
  /** Parts of roots that count as well. */
  readonly guards: readonly string[];
}

/** @param place holds the roots, and beside them what no command may touch */
export function takeSnapshot(place: string, { roots, guards }: Sights): Snapshot {
  const found = new Map<string, string>();
  for (const name of namesIn(place)) {
    const path = join(place, name);
    if (roots.includes(name)) readRoot(path, { root: path, guards: guards.map((guard) => join(place, guard)), found });
    else read(path, found);
  }
  return found;
}

/** One line for each difference. A folder that is new and empty in the root is none: it makes nobody run anything. */
export function differences(before: Snapshot, after: Snapshot): readonly string[] {
  const lines: string[] = [];
  for (const [path, facts] of before) {
    const now = after.get(path);
    if (now === undefined) lines.push(`gone: ${path}`);
    else if (now !== facts) lines.push(`changed: ${path}`);
  }
  for (const [path, facts] of after) {
    if (!before.has(path) && !facts.startsWith(FOLDER_IN_ROOT)) lines.push(`new: ${path}`);
  }
  return lines;
}

function read(path: string, found: Map<string, string>): void {
  const stats = statsOf(path);
  if (stats === undefined) return;
  found.set(path, factsOf(path, stats));
  if (stats.isDirectory()) for (const name of namesIn(path)) read(join(path, name), found);
}

function readRoot(
  folder: string,
  search: { readonly root: string; readonly guards: readonly string[]; readonly found: Map<string, string> },
): void {
  const { root, guards, found } = search;
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const stats = statsOf(path);
    if (stats === undefined) continue;
    const below = path.slice(root.length);
    const isGuarded = guards.some((guard) => `${path}/`.startsWith(`${guard}/`));
    if (isGuarded || PROTECTED_BELOW.test(below) || PROTECTED_AT_TOP.test(below)) {
      found.set(path, factsInRoot(path, stats));
    }
    if (stats.isDirectory()) readRoot(path, search);
  }
}

/** A link counts by what it leads to: a sandbox may make it again. */
function factsInRoot(path: string, stats: BigIntStats): string {
  if (stats.isDirectory()) return `${FOLDER_IN_ROOT} ${stats.mode}`;
  return stats.isSymbolicLink() ? `link to ${readlinkSync(path)}` : factsOf(path, stats);
}

function factsOf(path: string, stats: BigIntStats): string {
  const { mode, uid, gid, size, nlink, mtimeNs, ctimeNs } = stats;
  return [mode, uid, gid, size, nlink, mtimeNs, ctimeNs, contentsOf(path, stats)].join(' ');
}

function contentsOf(path: string, stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return readlinkSync(path);
  if (!stats.isFile() || stats.size > READ_BYTES) return '';
  return createHash('sha1').update(readFileSync(path)).digest('hex');
}

function statsOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch {
    return undefined; // gone while it was looked at
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return []; // gone, or closed to us
  }
}
