import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Which of the two processes of a renewal dies: the one that wants it, or the one that does it. */
export type Victim = 'asker' | 'renewer';

export interface Death {
  readonly who: Victim;
  /** Behind or before which call. */
  readonly at: 'start' | 'link' | 'open' | 'rename' | 'rm' | 'writeFile' | 'half-written' | 'spawn';
  readonly when?: 'before' | 'after';
  /** End of the path that the call is for. */
  readonly path?: string;
  /** How many such calls it lives through. */
  readonly spares?: number;
}

/**
 * The environment in which a process kills itself at one place, as `kill -9` would: it gets no chance to do anything
 * more. Drafts of the login are found by the path `draft`.
 */
export async function environmentOfDeath(folder: string, death: Death): Promise<Readonly<Record<string, string>>> {
  const hook = join(folder, 'death.mjs');
  await writeFile(hook, HOOK);
  return { NODE_OPTIONS: `--import=${hook}`, DEATH: JSON.stringify({ when: 'before', path: '', spares: 0, ...death }) };
}

const HOOK = `
import childProcess from 'node:child_process';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
const { who, at, when, path, spares } = JSON.parse(process.env.DEATH);
const isRenewer = process.execArgv.includes('--input-type=module');
if (isRenewer === (who === 'renewer')) {
  let left = spares;
  const die = () => { process.kill(process.pid, 'SIGKILL'); for (;;); };
  const fits = (args) => args.some((name) => typeof name === 'string' && name.endsWith(path));
  const isNow = (args) => fits(args) && left-- === 0;
  if (at === 'start') die();
  for (const name of ['link', 'open', 'rename', 'rm', 'writeFile']) {
    if (name !== at) continue;
    const real = fs[name];
    fs[name] = async (...args) => {
      const now = isNow(args);
      if (now && when === 'before') die();
      try { return await real(...args); } finally { if (now) die(); }
    };
  }
  if (at === 'half-written') {
    const real = fs.open;
    fs.open = async (...args) => {
      const handle = await real(...args);
      if (isNow(args)) {
        const write = handle.writeFile.bind(handle);
        handle.writeFile = async (content) => { await write(Buffer.from(content).subarray(0, content.length / 2)); die(); };
      }
      return handle;
    };
  }
  if (at === 'spawn') {
    const real = childProcess.spawn;
    childProcess.spawn = (...args) => { real(...args); die(); };
  }
  syncBuiltinESMExports();
}
`;
