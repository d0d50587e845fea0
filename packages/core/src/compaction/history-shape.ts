/** What the strategies share: which messages stay, and where context, ledger and summary stand among them. */
import type { MessageItem, ResponseItem } from '@quire/protocol';
import { isUserTurnBoundary } from '../context/fragments.ts';
import { insertContext } from '../context/insert-context.ts';
import { estimateTextTokens } from '../history/estimate-tokens.ts';
import { plainText, userText } from '../history/message-text.ts';
import { truncateMiddle } from '../history/truncate-output.ts';
import type { CompactionInput } from './compaction.ts';

/** Begins each summary message, on lines of its own. It never changes: files are read by it. */
export const SUMMARY_PREFIX =
  'This thread was compacted: its earlier part is gone and stands below as a summary made for you. Go on with the ' +
  'work from there; what the summary says is done needs no second time.';

/** For user messages together. Source: the peer's number. */
const USER_MESSAGE_TOKENS = 20_000;
/** Share of a small window that user messages may take. */
const USER_MESSAGE_WINDOW_SHARE = 0.25;
/** Part of the last message that stays however small the window is. */
const LEAST_USER_MESSAGE_TOKENS = 500;

export type SummaryTest = (item: ResponseItem) => boolean;

export function isSummaryText(text: string): boolean {
  return text.startsWith(`${SUMMARY_PREFIX}\n`);
}

export function summaryMessage(summary: string): MessageItem {
  return userText(`${SUMMARY_PREFIX}\n${summary}`);
}

/** Knows summary messages again: ours by how they begin, those of other programs by their whole text. */
export function recogniseSummaries(knownSummaries: readonly string[]): SummaryTest {
  const known = new Set(knownSummaries.filter((text) => text !== ''));
  return (item) => {
    if (item.type !== 'message' || item.role !== 'user') return false;
    const text = plainText(item);
    return isSummaryText(text) || known.has(text);
  };
}

export function isCompactionItem(
  item: ResponseItem,
): item is Extract<ResponseItem, { type: 'compaction' | 'compaction_summary' | 'context_compaction' }> {
  return item.type === 'compaction' || item.type === 'compaction_summary' || item.type === 'context_compaction';
}

/** What the user messages of the new history may take, in tokens. */
export function userMessageBudget(targetWindow: number | undefined): number {
  if (targetWindow === undefined) return USER_MESSAGE_TOKENS;
  const share = Math.floor(targetWindow * USER_MESSAGE_WINDOW_SHARE);
  return Math.max(LEAST_USER_MESSAGE_TOKENS, Math.min(USER_MESSAGE_TOKENS, share));
}

/** A person's words, to stay as plain text; `undefined` for everything else. */
export function personalText(item: ResponseItem, isSummary: SummaryTest): string | undefined {
  if (item.type !== 'message' || !isUserTurnBoundary(item) || isSummary(item)) return undefined;
  const text = plainText(item);
  if (text !== '') return text;
  return item.content.length === 0 ? undefined : '[a message without text; its content is no longer here]';
}

/** What people said, as text alone, oldest first. */
export function saidByPeople(history: readonly ResponseItem[]): readonly string[] {
  const isSummary = recogniseSummaries([]);
  return history.flatMap((item) => personalText(item, isSummary) ?? []);
}

/**
 * What people said, as text alone, oldest first. The newest messages are kept as far as the budget goes; the one
 * that crosses it is cut in the middle.
 */
export function keptUserMessages(
  history: readonly ResponseItem[],
  { isSummary, budgetTokens }: { readonly isSummary: SummaryTest; readonly budgetTokens: number },
): readonly MessageItem[] {
  const kept: MessageItem[] = [];
  let rest = budgetTokens;
  for (let index = history.length - 1; index >= 0 && rest > 0; index -= 1) {
    const item = history[index];
    const text = item === undefined ? undefined : personalText(item, isSummary);
    if (text === undefined) continue;
    const tokens = estimateTextTokens(text);
    kept.push(userText(tokens <= rest ? text : truncateMiddle(text, { mode: 'tokens', limit: rest })));
    rest -= tokens;
  }
  return kept.reverse();
}

/**
 * The new history of `messages`, among which is `summary`: in the middle of a turn with the context before the last
 * thing that a person said, then the ledger right before the summary, and the work tree's snapshots at the end.
 */
export function arrangeHistory(
  messages: readonly ResponseItem[],
  input: CompactionInput,
  options: { readonly summary: ResponseItem; readonly isSummary: SummaryTest },
): readonly ResponseItem[] {
  const { summary, isSummary } = options;
  const isAnySummary = (item: ResponseItem): boolean => item === summary || isSummary(item);
  const arranged =
    input.form === 'mid-turn' ? [...insertContext(messages, input.context, isAnySummary)] : [...messages];
  if (input.ledger !== undefined) arranged.splice(arranged.lastIndexOf(summary), 0, input.ledger.message);
  for (const item of input.history) if (item.type === 'ghost_snapshot') arranged.push(item);
  return arranged;
}
