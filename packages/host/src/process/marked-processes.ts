import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { systemReason } from '../system-reason.ts';

/** The environment variable by which every process that a runner started, and all their offspring, is found. */
export const OWNER_VARIABLE = 'QUIRE_OWNER';

/** What the environment of a process with this mark contains, and of no other. */
export function markerOf(mark: string): string {
  return `${OWNER_VARIABLE}=${mark}\0`;
}

export interface ProcessTree {
  readonly groupIds: readonly number[];
  /** Part of the environment of its members, in whatever group they are. */
  readonly marker: string;
}

/**
 * A process may fork while the table is read, and a busy machine lets go of one that was killed when it gets to it. So
 * the table is read until nothing is found, at first without a pause, but not for ever.
 */
const MAX_ROUNDS = 100;
const QUICK_ROUNDS = 20;
const PAUSE_MS = 10;
const PROCESSES_PER_SLICE = 256;

/**
 * Kills every process whose environment contains `marker`, in whatever session or group it is, and waits until it is gone.
 * Does nothing on systems without `/proc`; there process groups are all there is.
 */
export async function killMarkedProcesses(marker: string): Promise<void> {
  await killAll((pid) => isIn(`/proc/${pid}/environ`, marker));
}

/** The same for those that have `limitMark` among their limits. */
export async function killLimitedProcesses(limitMark: string): Promise<void> {
  await killAll((pid) => isIn(`/proc/${pid}/limits`, limitMark) && findProcess(pid) !== undefined);
}

async function killAll(isMember: (pid: number) => boolean): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    let killed = 0;
    await forEachProcess((pid) => {
      if (isMember(pid) && sendSignal(pid, 'SIGKILL')) killed += 1;
    });
    if (killed === 0) return;
    await (round < QUICK_ROUNDS ? setImmediate() : setTimeout(PAUSE_MS));
  }
}

async function forEachProcess(visit: (pid: number) => void): Promise<void> {
  let read = 0;
  for (const pid of processIds()) {
    visit(pid);
    read += 1;
    if (read % PROCESSES_PER_SLICE === 0) await setImmediate();
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return []; // no /proc here
  }
}

function isIn(path: string, marker: string): boolean {
  try {
    return readFileSync(path).includes(marker);
  } catch {
    return false; // it is gone, or belongs to somebody else
  }
}

/** Signals the group led by `groupId`; one that is gone, or was never started, is fine. */
export function killGroup(groupId: number | undefined, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): void {
  if (groupId !== undefined) sendSignal(-groupId, signal);
}

/** `false` when it was gone already, or may not be signalled by us. */
export function sendSignal(pid: number, signal: 'SIGKILL' | 'SIGTERM'): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

export interface LiveProcess {
  readonly pid: number;
  readonly groupId: number;
}

/**
 * A process that still runs, or `undefined`. One that ended and that its parent did not take notice of does
 * not run, although the system lists it and counts it to its group: not every container has a parent for
 * orphans that takes notice soon. Without `/proc` nothing is found.
 */
export function findProcess(pid: number): LiveProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program comes first, in brackets, and may hold anything; then state, parent, group.
    const [state, , groupId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : { pid, groupId: Number(groupId) };
  } catch {
    return undefined; // gone
  }
}

/** The processes that run in one of the groups or whose environment contains `marker`. */
export async function findProcesses(tree: ProcessTree): Promise<LiveProcess[]> {
  const found: LiveProcess[] = [];
  let hasTable = false;
  await forEachProcess((pid) => {
    hasTable = true;
    const isMarked = isIn(`/proc/${pid}/environ`, tree.marker);
    if (!isMarked && tree.groupIds.length === 0) return; // spares reading a second file
    const running = findProcess(pid);
    if (running !== undefined && (isMarked || tree.groupIds.includes(running.groupId))) found.push(running);
  });
  // Without `/proc` a group that exists stands for its members.
  return hasTable ? found : tree.groupIds.filter(groupExists).map((groupId) => ({ pid: groupId, groupId }));
}

/** Whether the group still has a member. */
export function groupExists(groupId: number): boolean {
  try {
    return process.kill(-groupId, 0);
  } catch (error) {
    return systemReason(error).startsWith('EPERM');
  }
}
