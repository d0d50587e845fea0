import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ResumeTarget, ThreadSummary } from '@quire/agent';
import { parseThreadId } from '@quire/protocol';
import type { OperationContext } from '../exec/run-command-line.ts';
import { directoryOf } from './place.ts';

interface Choice {
  readonly target: ResumeTarget;
  /** As given with `-C`. */
  readonly workingDirectory: string | undefined;
}

/** A text by which the agent finds the thread: what was given, or the id of the newest one. */
export async function threadIdOf(choice: Choice, context: OperationContext): Promise<string> {
  const { target, workingDirectory } = choice;
  if (target.kind !== 'id') return (await findThread(choice, context)).threadId;
  return workingDirectory === undefined ? target.id : fromDirectory(target.id, directoryOf(workingDirectory));
}

/** The agent looks for files from the directory of the process: paths that start elsewhere are given to it whole. */
function fromDirectory(id: string, directory: string): string {
  if (parseThreadId(id) !== undefined) return id;
  const path = resolve(directory, id);
  try {
    return statSync(path).isFile() ? path : id;
  } catch {
    return id; // no path that leads to a file: the agent tells what else it may be, or that it is nothing
  }
}

/** The summary of a thread, put away or not. */
export function findThread({ target, workingDirectory }: Choice, context: OperationContext): Promise<ThreadSummary> {
  const { threads, signal } = context;
  return threads.readThread(target, { workingDirectory: directoryOf(workingDirectory), signal });
}
