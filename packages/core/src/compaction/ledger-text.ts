import { relativeTo } from '../paths.ts';
import { utf8Length, utf8Prefix } from '../utf8.ts';
import { END_OF_FILE, type FileExtent } from './file-reads.ts';
import type { LedgerCommand, LedgerFile, LedgerState } from './ledger-state.ts';

/** Tokens that the ledger may take in the history. */
export const LEDGER_BUDGET_TOKENS = 4_000;
const BYTES_PER_TOKEN = 4;
/** What the lines that tell how many entries are missing may take. Bytes. */
const RESERVED_BYTES = 200;

const INTRODUCTION =
  'Kept by the program from what really ran in this thread; it is exact where a summary may not be. A file ' +
  'listed as read, with its hash and without a mark, is still what was read: open it again only for details you need.';

type Section = 'changed' | 'read' | 'commands';

const SECTION_TITLES: readonly (readonly [Section, string])[] = [
  ['changed', 'Files changed, oldest first:'],
  ['read', 'Files read, oldest first:'],
  ['commands', 'Commands, each with its last outcome, oldest first:'],
];

interface Entry {
  readonly section: Section;
  readonly text: string;
  readonly order: number;
}

/** At most `budgetTokens` long; of files and commands the oldest are left out first, and counted. */
export function renderLedger(state: LedgerState, { budgetTokens }: { readonly budgetTokens: number }): string {
  const budget = budgetTokens * BYTES_PER_TOKEN;
  const head = [INTRODUCTION, ...goalLines(state), ...planLines(state), ...placeLine(state)].join('\n');
  const titles = SECTION_TITLES.map(([, title]) => title).join('\n');
  const entries = entriesOf(state).sort((left, right) => right.order - left.order);
  let rest = budget - utf8Length(head) - titles.length - RESERVED_BYTES;
  let kept = 0;
  for (const entry of entries) {
    rest -= utf8Length(entry.text) + 1;
    if (rest < 0) break;
    kept += 1;
  }
  const shown = entries.slice(0, kept).reverse();
  const lines = [head];
  for (const [section, title] of SECTION_TITLES) {
    const texts = shown.filter((entry) => entry.section === section).map((entry) => entry.text);
    if (texts.length > 0) lines.push(title, ...texts);
  }
  const leftOut = entries.length - kept + state.droppedFiles + state.droppedCommands;
  if (leftOut > 0) lines.push(`(${leftOut} older entries are left out)`);
  return utf8Prefix(lines.join('\n'), budget);
}

function goalLines({ firstGoal, latestGoal }: LedgerState): readonly string[] {
  if (firstGoal === undefined) return [];
  const first = `The user first asked: ${escapeText(firstGoal)}`;
  if (latestGoal === undefined || latestGoal === firstGoal) return [first];
  return [first, `The user last said: ${escapeText(latestGoal)}`];
}

const STEP_MARKS = { completed: '[done]', in_progress: '[in progress]', pending: '[to do]' } as const;

function planLines({ plan }: LedgerState): readonly string[] {
  if (plan.length === 0) return [];
  const next = plan.find(({ status }) => status === 'in_progress') ?? plan.find(({ status }) => status === 'pending');
  return [
    'Plan:',
    ...plan.map(({ step, status }) => `- ${STEP_MARKS[status]} ${escapeText(step)}`),
    next === undefined ? 'Every step of the plan is done.' : `Next action: ${escapeText(next.step)}`,
  ];
}

function placeLine({ cwd, files }: LedgerState): readonly string[] {
  return cwd === undefined || files.size === 0 ? [] : [`Paths are relative to ${escapeText(cwd)}`];
}

function entriesOf(state: LedgerState): Entry[] {
  const entries: Entry[] = [];
  for (const [path, file] of state.files) {
    const shown = escapeText(state.cwd === undefined ? path : relativeTo(state.cwd, path));
    const section = file.change === undefined ? 'read' : 'changed';
    entries.push({ section, text: `- ${shown}${fileFacts(file)}`, order: file.order });
  }
  for (const [line, command] of state.commands) {
    entries.push({
      section: 'commands',
      text: `- ${commandOutcome(command)}: ${escapeText(line)}`,
      order: command.order,
    });
  }
  return entries;
}

function fileFacts({ change, read, hash, isStale }: LedgerFile): string {
  const facts: string[] = [];
  if (change !== undefined) facts.push(change);
  if (read !== undefined && change !== 'deleted') facts.push(`read: ${extentText(read)}`);
  if (hash !== undefined) facts.push(`sha256 ${hash}`);
  if (isStale === true)
    facts.push(read === undefined ? 'CHANGED BY SOMETHING ELSE SINCE' : 'CHANGED SINCE IT WAS READ');
  return facts.length === 0 ? '' : ` (${facts.map(escapeText).join('; ')})`;
}

function extentText({ isWhole, lines }: FileExtent): string {
  if (isWhole) return 'whole';
  if (lines.length === 0) return 'parts';
  const ranges = lines.map(([start, end]) =>
    start === end ? `${start}` : `${start}-${end === END_OF_FILE ? 'end' : end}`,
  );
  return `lines ${ranges.join(', ')}`;
}

function commandOutcome({ exitCode, note, runs }: LedgerCommand): string {
  const outcome =
    exitCode === undefined ? escapeText(note === undefined || note === '' ? 'no outcome' : note) : `exit ${exitCode}`;
  return runs === 1 ? outcome : `${outcome}, ${runs} runs`;
}

const LONG_ESCAPE_FROM = 0x100;
const NAMED_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line that can neither end the tags around the ledger nor hide or reorder what stands beside it. */
function escapeText(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => NAMED_ESCAPES[character] ?? codeEscape(character))
    .replaceAll(/<(?=\s*\/?\s*(?:work_ledger|additional_context))/gi, '&lt;');
}

function codeEscape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code < LONG_ESCAPE_FROM ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits}}`;
}
