import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Variable by which everything that a test's command started is found, whatever group or session it is in. */
export const MARK_VARIABLE = 'QUIRE_TEST_MARK';

/** What is known of a process; empty texts when it is gone. */
interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Processes with `mark` in their environment or among their arguments. Zombies have neither. */
export function markedProcesses(mark: string): readonly ProcessFacts[] {
  return processIds()
    .filter((pid) => readFile(pid, 'environ').includes(mark) || readFile(pid, 'cmdline').includes(mark))
    .map(factsOf);
}

/** The watching processes that belong to a run: they carry no variable of ours, only their parent tells. */
export function watchdogsOf(parent: number): readonly ProcessFacts[] {
  return processIds()
    .filter((pid) => readFile(pid, 'cmdline').includes('quire-watchdog'))
    .map(factsOf)
    .filter((facts) => facts.parent === parent);
}

/** Whether the process still runs the very command it ran. */
export function isAlive(facts: ProcessFacts): boolean {
  return facts.command !== '' && readFile(facts.pid, 'cmdline') === facts.command;
}

/**
 * Looks again and again until `condition` holds; `false` when it does not within the time. The last look begins when the
 * time is up: whoever looks may have been late himself.
 */
export async function eventually(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const isLast = performance.now() > deadline;
    if (condition()) return true;
    if (isLast) return false;
    await setTimeout(20);
  }
}

function factsOf(pid: number): ProcessFacts {
  const afterName = readFile(pid, 'stat').split(') ')[1] ?? '';
  return { pid, parent: Number(afterName.split(' ')[1]), command: readFile(pid, 'cmdline') };
}

function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function readFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}
