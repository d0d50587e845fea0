import { stat } from 'node:fs/promises';
import { systemReason } from '../system-reason.ts';
import type { BoundedProgram } from './bounded-programs.ts';
import type { ProgramEnd } from './follow-program.ts';

export interface ProgramRun extends Omit<BoundedProgram, 'input'> {
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a program that is to print a short answer, with nothing on stdin. Neither it nor what it started is left behind,
 * whatever becomes of this process. Rejects with the reason of `signal`.
 */
export async function runProgram({ environment, ...program }: ProgramRun): Promise<ProgramEnd> {
  const { cwd, signal } = program;
  signal.throwIfAborted();
  // The system would say of a missing directory that the program is not there.
  const directory = await stat(cwd).catch((error: unknown) => systemReason(error));
  if (typeof directory === 'string') return noDirectory(cwd, directory);
  if (!directory.isDirectory()) return noDirectory(cwd, 'it is not a directory');
  const { BoundedPrograms } = await import('./bounded-programs.ts');
  const programs = new BoundedPrograms(environment);
  try {
    return await programs.run({ ...program, input: '' });
  } finally {
    await programs.close();
  }
}

function noDirectory(cwd: string, reason: string): ProgramEnd {
  return { kind: 'fault', problem: `could not be started: its working directory ${cwd} can not be used (${reason})` };
}
