import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

const PROCESSES_PER_SLICE = 128;

export interface HiddenTree {
  readonly groupIds: readonly number[];
  /** Whether what a process has as one of its standard streams, by the system's name of it, is from this tree. */
  readonly isOwnStream: (name: string) => boolean;
}

/**
 * Processes of a tree that show it neither by their group nor by their environment: offspring of the groups, in
 * whatever session, as long as the line of parents is whole, and whatever still has an output of the tree. To be looked
 * for before anything is killed. Does nothing on systems without `/proc`.
 */
export async function findHiddenProcesses(tree: HiddenTree): Promise<readonly number[]> {
  const found = new Set<number>();
  const childrenOf = new Map<number, number[]>();
  let read = 0;
  for (const pid of processIds()) {
    const place = placeOf(pid);
    if (place === undefined || pid === process.pid) continue;
    const siblings = childrenOf.get(place.parentId);
    if (siblings === undefined) childrenOf.set(place.parentId, [pid]);
    else siblings.push(pid);
    if (tree.groupIds.includes(place.groupId) || hasStream(pid, tree.isOwnStream)) found.add(pid);
    read += 1;
    if (read % PROCESSES_PER_SLICE === 0) await setImmediate();
  }
  for (const pid of found) for (const child of childrenOf.get(pid) ?? []) found.add(child);
  return [...found];
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return []; // no /proc here
  }
}

function placeOf(pid: number): { readonly parentId: number; readonly groupId: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program comes first, in brackets, and may hold anything; then state, parent, group.
    const [, parentId, groupId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parentId: Number(parentId), groupId: Number(groupId) };
  } catch {
    return undefined; // gone
  }
}

function hasStream(pid: number, isOwn: (name: string) => boolean): boolean {
  return [1, 2].some((fd) => {
    const name = nameOfDescriptor(`/proc/${pid}/fd/${fd}`);
    return name !== undefined && isOwn(name);
  });
}

/** What the system calls a file that a process has open, such as `/tmp/x (deleted)` or `/dev/pts/1`. */
export function nameOfDescriptor(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed, or not ours to see
  }
}
