import fs from 'node:fs';
import { parseJsonObject } from '@quire/protocol';
import { systemErrorCode } from './system-error.ts';

/** A process, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in a unit of the system's own; `undefined` where the system does not tell. */
  readonly startedAt: string | undefined;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startedAt: readStat(process.pid)?.startedAt };
}

/** Reads what was made by `JSON.stringify`. `undefined`: it is something else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const { pid, startedAt } = parseJsonObject(text) ?? {};
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, startedAt: typeof startedAt === 'string' ? startedAt : undefined };
}

/** Whether that very process still runs. One that has died and was not collected by its parent does not. */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  if (!exists(pid)) return false;
  const stat = readStat(pid);
  if (stat === undefined) return true;
  return stat.state !== 'Z' && stat.state !== 'X' && (startedAt === undefined || stat.startedAt === startedAt);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, /* signal */ 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM'; // somebody else's process
  }
}

/** Linux only. Source: proc(5), fields 3 and 22; the name before them may hold spaces and brackets. */
function readStat(pid: number): { readonly state: string; readonly startedAt: string } | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return undefined; // another system, or the process has just ended: then `exists` says so the next time
  }
}
