import type { ThreadFacts } from '@quire/agent';
import type { ShownPrompt } from './exec-output.ts';
import { cutLines, formatCount, type LineLimits } from './human-format.ts';
import { safeLine, safeText } from './safe-text.ts';
import type { Style } from './style.ts';

const PROMPT_LINES: LineLimits = { head: 20, tail: 4 };

/** What the thread was resolved to. */
export function headerLines(
  facts: ThreadFacts,
  { version, style }: { readonly version: string; readonly style: Style },
): readonly string[] {
  const { bold, dim } = style;
  const effort = facts.reasoningEffort ?? 'default';
  const notes = [
    ...(facts.resumed ? ['resumed'] : []),
    ...(facts.forkedFrom === undefined ? [] : [`forked from ${facts.forkedFrom}`]),
  ];
  const rows: readonly (readonly [string, string])[] = [
    ['workdir', facts.workingDirectory],
    ['model', `${facts.model} (${facts.providerId})`],
    ['approval', facts.approvalPolicy],
    ['sandbox', facts.sandboxMode],
    ['effort', `${effort}, summaries ${facts.reasoningSummary}`],
    ['thread', notes.length === 0 ? facts.threadId : `${facts.threadId} (${notes.join(', ')})`],
  ];
  return [bold(`quire ${version}`), ...rows.map(([name, text]) => `  ${dim(name.padEnd(8))} ${safeLine(text)}`)];
}

/** What was asked, and what came with it. */
export function promptLines(prompt: ShownPrompt, { bold, cyan, dim }: Style): readonly string[] {
  const notes: string[] = [];
  if (prompt.attachedCharacters > 0) notes.push(`${formatCount(prompt.attachedCharacters)} characters from stdin`);
  if (prompt.imageCount > 0) notes.push(prompt.imageCount === 1 ? '1 image' : `${prompt.imageCount} images`);
  const [first = '', ...rest] = cutLines(safeText(prompt.text), PROMPT_LINES).lines;
  return [
    `${cyan('›')} ${bold(first)}`,
    ...rest.map((line) => `  ${line}`),
    ...(notes.length === 0 ? [] : [dim(`  + ${notes.join(', ')}`)]),
  ];
}
