import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { systemReason } from '../system-reason.ts';

/** The environment variable by which every process that a runner started, and all their offspring, is found. */
export const OWNER_VARIABLE = 'QUIRE_OWNER';

/** A process may fork while the table is read, so it is read until nothing is found, but not for ever. */
const MAX_ROUNDS = 20;
const PROCESSES_PER_SLICE = 256;

/**
 * Kills every process whose environment contains `marker`, in whatever session or group it is.
 * Does nothing on systems without `/proc`; there process groups are all there is.
 */
export async function killMarkedProcesses(marker: string): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const killed = await killOnce(marker);
    if (killed === 0) return;
    await setImmediate();
  }
}

async function killOnce(marker: string): Promise<number> {
  let killed = 0;
  let read = 0;
  for (const pid of processIds()) {
    if (environmentContains(pid, marker) && sendSignal(pid, 'SIGKILL')) killed += 1;
    read += 1;
    if (read % PROCESSES_PER_SLICE === 0) await setImmediate();
  }
  return killed;
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return []; // no /proc here
  }
}

function environmentContains(pid: number, marker: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`).includes(marker);
  } catch {
    return false; // it is gone, or belongs to somebody else
  }
}

/** Signals the group led by `groupId`; one that is gone, or was never started, is fine. */
export function killGroup(groupId: number | undefined, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): void {
  if (groupId !== undefined) sendSignal(-groupId, signal);
}

/** `false` when it was gone already, or may not be signalled by us. */
function sendSignal(pid: number, signal: 'SIGKILL' | 'SIGTERM'): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Whether the group still has a member. */
export function groupExists(groupId: number): boolean {
  try {
    return process.kill(-groupId, 0);
  } catch (error) {
    return systemReason(error).startsWith('EPERM');
  }
}
