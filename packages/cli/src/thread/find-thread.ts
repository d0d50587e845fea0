import type { ResumeTarget, ThreadSummary } from '@quire/agent';
import type { OperationContext } from '../exec/run-command-line.ts';
import { directoryOf } from './place.ts';

interface Choice {
  readonly target: ResumeTarget;
  /** As given with `-C`. */
  readonly workingDirectory: string | undefined;
}

/** A text by which the agent finds the thread: what was given, or the id of the newest one. */
export async function threadIdOf(choice: Choice, context: OperationContext): Promise<string> {
  return choice.target.kind === 'id' ? choice.target.id : (await findThread(choice, context)).threadId;
}

/** The summary of a thread, put away or not. */
export function findThread({ target, workingDirectory }: Choice, context: OperationContext): Promise<ThreadSummary> {
  const { threads, signal } = context;
  return threads.readThread(target, { workingDirectory: directoryOf(workingDirectory), signal });
}
