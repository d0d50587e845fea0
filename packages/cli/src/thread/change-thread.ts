import type { ResumeTarget } from '@quire/agent';
import type { OperationContext } from '../exec/run-command-line.ts';
import { safeLine } from '../exec/safe-text.ts';
import { threadIdOf } from './find-thread.ts';

interface Choice {
  readonly target: ResumeTarget;
  readonly workingDirectory: string | undefined;
}

export async function renameThread(
  choice: Choice & { readonly name: string },
  context: OperationContext,
): Promise<void> {
  const id = await threadIdOf(choice, context);
  const name = choice.name.trim();
  await context.threads.setThreadName(id, name);
  tell(context, id, name === '' ? 'has no name any more' : `named ${name}`);
}

export async function archiveThread(choice: Choice, context: OperationContext): Promise<void> {
  const { threadId, path } = await context.threads.archiveThread(await threadIdOf(choice, context));
  tell(context, threadId, `archived; its file is ${path}`);
}

export async function unarchiveThread(choice: Choice, context: OperationContext): Promise<void> {
  const { threadId, path } = await context.threads.unarchiveThread(await threadIdOf(choice, context));
  tell(context, threadId, `back in the list; its file is ${path}`);
}

/** The thread is open meanwhile, so that no other process writes to it. */
export async function rollBackThread(
  choice: Choice & { readonly turns: number },
  context: OperationContext,
): Promise<void> {
  await using thread = await context.threads.resumeThread(choice.target, {
    skipGitRepoCheck: true,
    signal: context.signal,
    ...(choice.workingDirectory !== undefined && { workingDirectory: choice.workingDirectory }),
  });
  for (const warning of thread.facts.warnings) context.stderr.write(`quire: ${safeLine(warning)}\n`);
  await thread.rollBack(choice.turns);
  const taken = choice.turns === 1 ? 'its last turn was' : `its last ${choice.turns} turns were`;
  tell(context, thread.facts.threadId, `${taken} taken back; files stay as they are`);
}

function tell({ stdout }: OperationContext, id: string, what: string): void {
  stdout.write(`${safeLine(`${id}: ${what}`)}\n`);
}
