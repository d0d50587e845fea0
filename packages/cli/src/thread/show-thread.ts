import type { ResumeTarget, ThreadSummary } from '@quire/agent';
import type { OperationContext } from '../exec/run-command-line.ts';
import { safeLine } from '../exec/safe-text.ts';
import { findThread } from './find-thread.ts';
import { summaryJson } from './summary-format.ts';

export interface ShowChoice {
  readonly target: ResumeTarget;
  readonly json: boolean;
  readonly workingDirectory: string | undefined;
}

/** What is known about one thread, on stdout. */
export async function showThread(choice: ShowChoice, context: OperationContext): Promise<void> {
  const summary = await findThread(choice, context);
  const lines = choice.json ? [summaryJson(summary)] : describe(summary);
  context.stdout.write(`${lines.join('\n')}\n`);
}

function describe(summary: ThreadSummary): readonly string[] {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['thread', summary.threadId],
    ['name', summary.name],
    ['begins', summary.preview === '' ? undefined : summary.preview],
    ['workdir', summary.workingDirectory],
    ['created', new Date(summary.createdAtMs).toISOString()],
    ['updated', new Date(summary.updatedAtMs).toISOString()],
    ['fork of', summary.forkedFrom],
    ['archived', summary.archived ? 'yes' : undefined],
    ['file', summary.rolloutPath],
  ];
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(8)} ${safeLine(text)}`]));
}
