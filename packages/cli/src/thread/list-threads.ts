import type { ThreadSummary } from '@quire/agent';
import type { OperationContext } from '../exec/run-command-line.ts';
import { safeLine } from '../exec/safe-text.ts';
import { directoryOf } from './place.ts';
import { ageOf, summaryJson, titleOf } from './summary-format.ts';

/** As many as a person is shown without `--limit`; programs get all. */
const SHOWN = 50;
const GAP = '  ';
/** Of a title on a narrow terminal, where the line is broken rather than nothing is shown. */
const MIN_TITLE_WIDTH = 8;

export interface ListChoice {
  readonly anyDirectory: boolean;
  readonly archived: boolean;
  readonly limit: number | undefined;
  readonly json: boolean;
  readonly workingDirectory: string | undefined;
}

/** One line for each thread on stdout; when there is none, one line about that on stderr. */
export async function listThreads(choice: ListChoice, context: OperationContext): Promise<void> {
  const { threads, signal, stdout, stderr } = context;
  const directory = choice.anyDirectory ? undefined : directoryOf(choice.workingDirectory);
  const summaries = await threads.listThreads({
    archived: choice.archived,
    limit: choice.limit ?? (choice.json ? Number.MAX_SAFE_INTEGER : SHOWN + 1),
    signal,
    ...(directory !== undefined && { workingDirectory: directory }),
  });
  if (choice.json) {
    for (const summary of summaries) stdout.write(`${summaryJson(summary)}\n`);
    return;
  }
  const shown = summaries.slice(0, choice.limit ?? SHOWN);
  const nowMs = Date.now();
  const page = { nowMs, withDirectory: choice.anyDirectory, columns: stdout.columns };
  for (const line of tableOf(shown, page)) stdout.write(`${line}\n`);
  if (shown.length < summaries.length) stderr.write(`quire: there are more than these ${SHOWN}; --limit shows more\n`);
  if (summaries.length > 0) return;
  const kind = choice.archived ? 'archived threads' : 'threads';
  const where = directory === undefined ? '' : ` of ${safeLine(directory)}; --all lists those of every directory`;
  stderr.write(`quire: there are no ${kind}${where}\n`);
}

function tableOf(
  summaries: readonly ThreadSummary[],
  options: { readonly nowMs: number; readonly withDirectory: boolean; readonly columns: number | undefined },
): readonly string[] {
  const rows = summaries.map((summary) => [
    summary.threadId,
    ageOf(summary.updatedAtMs, options.nowMs),
    ...(options.withDirectory ? [safeLine(summary.workingDirectory)] : []),
  ]);
  const [first = []] = rows;
  const widths = first.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const taken = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  const left = options.columns === undefined ? undefined : Math.max(options.columns - taken, MIN_TITLE_WIDTH);
  return summaries.map((summary, index) => {
    const row = rows[index]?.map((text, column) => text.padEnd(widths[column] ?? 0)) ?? [];
    return [...row, titleOf(summary, left)].join(GAP);
  });
}
