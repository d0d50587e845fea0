/** Items of a thread, as people read them. */
import type { CompactionStrategyName, ReviewFinding, ReviewResult, TurnItem } from '@quire/protocol';
import {
  cutLines,
  formatChange,
  formatCount,
  formatDuration,
  type LineLimits,
  lastStates,
  shortPath,
} from './human-format.ts';
import { safeLine, safeText } from './safe-text.ts';
import { scriptOf } from './shell-line.ts';
import type { Style } from './style.ts';

interface Look {
  readonly style: Style;
  readonly workingDirectory: string;
}

const SCRIPT_LINES: LineLimits = { head: 12, tail: 2 };
const OUTPUT_LINES: LineLimits = { head: 6, tail: 14 };
const DIFF_LINES: LineLimits = { head: 40, tail: 0 };

type CommandItem = Extract<TurnItem, { kind: 'command-execution' }>;

/** Such as `$ npm test`, and where it runs if that is elsewhere. */
export function commandLines(item: CommandItem, { style, workingDirectory }: Look): readonly string[] {
  const { bold, cyan, dim } = style;
  const place = item.cwd === workingDirectory ? [] : [dim(`  in ${safeLine(item.cwd)}`)];
  const script = cutLines(safeText(scriptOf(item.command)), SCRIPT_LINES).lines;
  return [...script.map((line, index) => (index === 0 ? `${cyan('$')} ${bold(line)}` : `  ${bold(line)}`)), ...place];
}

/** How it went, and the beginning and end of what it printed unless a person has that already. */
export function commandEndLines(item: CommandItem, { dim, green, red, yellow }: Style): readonly string[] {
  const took = item.durationMs === undefined ? '' : ` in ${formatDuration(item.durationMs)}`;
  const end =
    item.status === 'declined'
      ? `  ${yellow('⊘ declined')}`
      : item.status === 'completed'
        ? `  ${green('✓')} done${took}`
        : `  ${red('✗')} ${item.exitCode === undefined ? 'failed' : `exit ${item.exitCode}`}${took}`;
  if (item.source === 'user') return [end];
  return [end, ...cutLines(safeText(lastStates(item.output)), OUTPUT_LINES).lines.map((line) => dim(`  │ ${line}`))];
}

/** What became of a patch, and each file with its hunks if it was applied. */
export function fileChangeLines(item: Extract<TurnItem, { kind: 'file-change' }>, look: Look): readonly string[] {
  const { green, red, yellow } = look.style;
  const heading =
    item.status === 'declined'
      ? yellow('⊘ patch declined')
      : item.status === 'failed'
        ? red('✗ patch failed')
        : `${green('±')} patch applied`;
  const reason = item.message === undefined ? '' : `: ${safeLine(item.message)}`;
  const applied = item.status === 'completed';
  const limits = applied ? DIFF_LINES : { head: 0, tail: 0 };
  const changes = item.changes.flatMap((change) =>
    formatChange(applied ? change : { ...change, diff: '' }, { ...look, limits }),
  );
  return [`${heading}${reason}`, ...changes];
}

export function planLines(item: Extract<TurnItem, { kind: 'plan' }>, style: Style): readonly string[] {
  const { bold, cyan, dim, green } = style;
  const lines = item.steps.map(({ step, status }) => {
    const text = safeLine(step);
    if (status === 'completed') return `  ${green('✓')} ${dim(text)}`;
    return status === 'in_progress' ? `  ${cyan('▸')} ${bold(text)}` : `  ${dim('·')} ${text}`;
  });
  return [`${cyan('☰')} plan`, ...lines];
}

const STRATEGIES: Readonly<Record<CompactionStrategyName, string>> = {
  endpoint: 'compacted by the provider',
  trigger: 'compacted by the provider',
  local: 'summarised by the model',
  trim: 'oldest parts left out',
};

/** Such as `⇊ history summarised by the model: about 41,000 → 6,200 tokens`. */
export function compactionLine(item: Extract<TurnItem, { kind: 'context-compaction' }>): string {
  if (item.strategy === undefined) return '⇊ compacting the history…';
  const { tokensBefore, tokensAfter } = item;
  const sizes =
    tokensBefore === undefined || tokensAfter === undefined
      ? ''
      : `: about ${formatCount(tokensBefore)} → ${formatCount(tokensAfter)} tokens`;
  return `⇊ history ${STRATEGIES[item.strategy]}${sizes}`;
}

/** What the reviewer thinks of the whole, then each finding with its place. */
export function reviewLines(review: ReviewResult, look: Look): readonly string[] {
  const { bold, cyan, green } = look.style;
  const { findings } = review;
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  const heading = findings.length === 0 ? `${green('✓')} review: no findings` : `${cyan('◎')} review: ${bold(count)}`;
  const explanation = review.overallExplanation.trim() || review.overallCorrectness;
  return [
    heading,
    ...indented(explanation, /* blanks */ 2),
    ...findings.flatMap((finding) => ['', ...findingLines(finding, look)]),
  ];
}

function findingLines({ title, body, location }: ReviewFinding, look: Look): readonly string[] {
  const { bold, dim, yellow } = look.style;
  const place = location === undefined ? [] : [`    ${dim(placeOf(location, look.workingDirectory))}`];
  return [`  ${yellow('●')} ${bold(safeLine(title))}`, ...place, ...indented(body.trim(), /* blanks */ 4)];
}

/** Such as `src/a.ts:10-12`. */
function placeOf(location: NonNullable<ReviewFinding['location']>, workingDirectory: string): string {
  const { path, startLine, endLine } = location;
  const lines = startLine === endLine ? String(startLine) : `${startLine}-${endLine}`;
  return `${shortPath(path, workingDirectory)}:${lines}`;
}

/** Such as `⑂ spawn: read the tests`, and `⑂ spawn completed: 01a1… running`. */
export function subAgentLines(item: Extract<TurnItem, { kind: 'sub-agent' }>, style: Style): readonly string[] {
  const heading = `${style.cyan('⑂')} ${item.action}`;
  if (item.status === 'in-progress') {
    const about = item.prompt === undefined ? item.threadIds.join(', ') : item.prompt;
    return [about === '' ? heading : `${heading}: ${safeLine(cutLines(about, { head: 1, tail: 0 }).lines.join(' '))}`];
  }
  const states = item.threadIds.map((id) => safeLine(`${id} ${item.states[id] ?? ''}`.trim()));
  return [`${heading} ${item.status}${states.length === 0 ? '' : `: ${states.join(', ')}`}`];
}

type ToolCallItem = Extract<TurnItem, { kind: 'mcp-tool-call' | 'dynamic-tool-call' | 'javascript' }>;

const TOOL_OUTPUT_LINES = { head: 4, tail: 6 };

/** Such as `⚙ server/tool {"query":"x"}`, how it went, and the beginning and end of what came back. */
export function toolCallLines(item: ToolCallItem, style: Style): readonly string[] {
  const { bold, cyan, dim, green, red, yellow } = style;
  const took = item.durationMs === undefined ? '' : ` in ${formatDuration(item.durationMs)}`;
  const end =
    item.status === 'completed'
      ? `  ${green('✓')} done${took}`
      : item.status === 'declined'
        ? `  ${yellow('⊘ declined')}`
        : `  ${red('✗')} failed${took}`;
  const output = cutLines(safeText(outputOf(item)), TOOL_OUTPUT_LINES).lines.map((line) => dim(`  │ ${line}`));
  return [`${cyan('⚙')} ${bold(safeLine(titleOf(item)))}`, end, ...output];
}

function titleOf(item: ToolCallItem): string {
  if (item.kind === 'javascript') return `javascript: ${cutLines(item.code, { head: 1, tail: 0 }).lines.join(' ')}`;
  const name = item.kind === 'mcp-tool-call' ? `${item.server}/${item.tool}` : item.tool;
  return `${name} ${cutLines(JSON.stringify(item.arguments), { head: 1, tail: 0 }).lines.join(' ')}`;
}

function outputOf(item: ToolCallItem): string {
  return (item.kind === 'mcp-tool-call' ? item.error : item.output) ?? '';
}

function indented(text: string, blanks: number): readonly string[] {
  if (text === '') return [];
  const margin = ' '.repeat(blanks);
  return safeText(text)
    .split('\n')
    .map((line) => (line === '' ? '' : `${margin}${line}`));
}
