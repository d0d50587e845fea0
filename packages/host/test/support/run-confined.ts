import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SandboxedStart } from '@quire/host';

export interface ConfinedRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts what a sandbox gave back, and releases it at the end. */
export async function runStart(
  start: SandboxedStart,
  options: { readonly cwd: string; readonly inheritedFds?: readonly number[] },
): Promise<ConfinedRun> {
  if (start.kind === 'unavailable') throw new Error(start.reason);
  try {
    const child = spawn(start.path, start.args, {
      cwd: options.cwd,
      env: start.environment,
      stdio: ['ignore', 'pipe', 'pipe', ...start.extraFds, ...(options.inheritedFds ?? [])],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    const [exitCode] = (await once(child, 'close')) as [number | null];
    return { exitCode, stdout, stderr };
  } finally {
    start.release();
  }
}
