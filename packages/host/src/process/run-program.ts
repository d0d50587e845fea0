import { stat } from 'node:fs/promises';
import { systemReason } from '../system-reason.ts';

export interface ProgramRun {
  /** The program and its arguments; no shell reads them. */
  readonly argv: readonly [string, ...string[]];
  /** Absolute. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type ProgramEnd =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  /** It came to no end of its own, or printed far too much; `problem` is a predicate behind its name. */
  | { readonly kind: 'fault'; readonly problem: string };

/**
 * Runs a program that is to print a short answer, with nothing on stdin. Neither it nor what it started is left behind,
 * whatever becomes of this process. Rejects with the reason of `signal`.
 */
export async function runProgram({ argv, cwd, environment, timeoutMs, signal }: ProgramRun): Promise<ProgramEnd> {
  signal.throwIfAborted();
  // The system would say of a missing directory that the program is not there.
  const directory = await stat(cwd).catch((error: unknown) => systemReason(error));
  if (typeof directory === 'string') return noDirectory(cwd, directory);
  if (!directory.isDirectory()) return noDirectory(cwd, 'it is not a directory');
  const { HookProcesses } = await import('./bounded-programs.ts');
  const processes = new HookProcesses({ environment });
  try {
    return await processes.run({ command: argv, timeoutMs }, { payload: '', cwd, signal });
  } finally {
    await processes.close();
  }
}

function noDirectory(cwd: string, reason: string): ProgramEnd {
  return { kind: 'fault', problem: `could not be started: its working directory ${cwd} can not be used (${reason})` };
}
