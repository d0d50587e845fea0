/** `quire simulate` as a user starts it: the command, in a process of its own, with a script file. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** How long the command may take until it serves, and to end. Milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * @typedef {{ url: string, lines: string[], stop: () => Promise<number | null> }} SimulateCommand
 *   `lines` is what it printed so far; `stop` sends SIGINT and gives the exit code
 */

/**
 * @param {{ quirePath: string, folder: string, environment: Record<string, string>, script: object, flags?: readonly string[] }} options
 *   `folder` takes the script file
 * @returns {Promise<SimulateCommand>}
 */
export async function startSimulateCommand({ quirePath, folder, environment, script, flags = [] }) {
  const file = path.join(folder, 'script.json');
  await writeFile(file, JSON.stringify(script));
  const child = spawn(process.execPath, [quirePath, 'simulate', '--script', file, ...flags], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  /** @type {string[]} */
  const lines = [];
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('quire simulate does not serve')), PATIENCE_MS);
    void exited.then(() => reject(new Error(`quire simulate ended:\n${lines.join('\n')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const served = /^Serving on (\S+)$/.exec(line)?.[1];
      if (served === undefined) return;
      clearTimeout(timer);
      resolve(served);
    });
  }).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    url,
    lines,
    stop: async () => {
      child.kill('SIGINT');
      return exited;
    },
  };
}
