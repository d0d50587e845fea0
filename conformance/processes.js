/** Finds processes by a mark in their environment. Works where there is a `/proc`; elsewhere nothing is found. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{ pid: number, command: string }} MarkedProcess `command` is its argument list, joined by blanks */

/** How often to look. Milliseconds. */
export const POLL_MS = 20;

/** Whether processes can be found here at all. */
export const CAN_LIST_PROCESSES = existsSync('/proc/self/environ');

/**
 * Every process, zombies excepted, whose environment holds `mark`; a child inherits it from its parent.
 * @param {string} mark
 * @returns {Promise<MarkedProcess[]>}
 */
export async function listMarkedProcesses(mark) {
  if (!CAN_LIST_PROCESSES) return [];
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map((name) => readMarked(Number(name), mark)));
  return found.flatMap((entry) => (entry === undefined ? [] : [entry]));
}

/**
 * Waits until no marked process is left. Nothing announces the end of a process that is not our child, so this looks again.
 * @param {string} mark
 * @param {{ withinMs: number }} options
 * @returns {Promise<MarkedProcess[]>} those that still live when the time is up
 */
export async function waitForNoProcess(mark, { withinMs }) {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    // The last look begins when the time is up: whoever looks may have been late himself.
    const isLast = performance.now() >= deadlineMs;
    const left = await listMarkedProcesses(mark);
    if (left.length === 0 || isLast) return left;
    await sleep(POLL_MS);
  }
}

/**
 * @param {number} pid
 * @param {string} mark
 * @returns {Promise<MarkedProcess | undefined>}
 */
async function readMarked(pid, mark) {
  if (pid === process.pid) return undefined;
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
    if (!environment.includes(mark)) return undefined;
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    return command === '' ? undefined : { pid, command };
  } catch (error) {
    // Gone meanwhile, or somebody else's.
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
