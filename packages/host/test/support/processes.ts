import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** A number that no other process on the machine has among its arguments, fit for `sleep`. */
export function uniqueSeconds(): string {
  return `9${Math.floor(Math.random() * 1e12)}`;
}

/** Ids of the processes that have `text` among their arguments. */
export function processesWith(text: string): number[] {
  return processIds().filter((pid) => readProcessFile(pid, 'cmdline').includes(text));
}

export function environmentOf(pid: number): string {
  return readProcessFile(pid, 'environ');
}

const LOOK_MS = 10;

/**
 * Looks again and again until `condition` holds; `false` when it does not within the time. What counts is the time
 * between looks, not that for which the machine had none for us: what is waited for had none either.
 */
export async function eventually(condition: () => boolean, options: { readonly withinMs: number }): Promise<boolean> {
  for (let waitedMs = 0; !condition(); waitedMs += LOOK_MS) {
    if (waitedMs > options.withinMs) return false;
    await setTimeout(LOOK_MS);
  }
  return true;
}

function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function readProcessFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}
