import type { ResponseItem } from '@quire/protocol';
import { estimateTokens } from '../history/estimate-tokens.ts';
import { plainText, userText } from '../history/message-text.ts';
import { truncateMiddle } from '../history/truncate-output.ts';
import type { CompactedHistory, CompactionInput } from './compaction.ts';
import { frameTokens } from './frame-tokens.ts';
import {
  arrangeHistory,
  isCompactionItem,
  keptUserMessages,
  recogniseSummaries,
  SUMMARY_PREFIX,
  type SummaryTest,
  summaryMessage,
  userMessageBudget,
} from './history-shape.ts';

const EARLIER_SUMMARY_TOKENS = 4_000;
const LAST_WORDS_TOKENS = 1_000;
/** Taken for free even when nothing is: enough for the last thing that a person said, in part. */
const LEAST_ROOM_TOKENS = 1_000;

/**
 * Needs no model: what people said, and a message of the program instead of a summary. An earlier summary and the
 * last words of the model are quoted in it.
 */
export function trimHistory(input: CompactionInput): Promise<CompactedHistory> {
  const isSummary = recogniseSummaries(input.knownSummaries);
  const room = roomOf(input);
  const message = summaryMessage(trimText(input, { isSummary, mostTokens: room / 4 }));
  const compaction = keptCompaction(input, room / 4);
  const budgetTokens = Math.min(userMessageBudget(input.targetWindow), Math.floor(room / 2));
  // An earlier compaction stays where it was: after what was said before it.
  const place = compaction === undefined ? 0 : input.history.lastIndexOf(compaction);
  const later = keptUserMessages(input.history.slice(place), { isSummary, budgetTokens });
  const earlier = keptUserMessages(input.history.slice(0, place), {
    isSummary,
    budgetTokens: budgetTokens - estimateTokens(later),
  });
  const messages = [...earlier, ...(compaction === undefined ? [] : [compaction]), ...later, message];
  return Promise.resolve({
    message: plainText(message),
    history: arrangeHistory(messages, input, { summary: message, isSummary }),
  });
}

/** Tokens left for messages in the window once everything that must be in it is. */
function roomOf(input: CompactionInput): number {
  if (input.targetWindow === undefined) return Number.MAX_SAFE_INTEGER;
  const ledger = input.ledger === undefined ? [] : [input.ledger.message];
  return Math.max(
    LEAST_ROOM_TOKENS,
    input.targetWindow - frameTokens(input) - estimateTokens([...input.context, ...ledger]),
  );
}

/** What the provider made of a still earlier part, unless it is too large. */
function keptCompaction({ history }: CompactionInput, mostTokens: number): ResponseItem | undefined {
  const compaction = history.findLast(isCompactionItem);
  return compaction !== undefined && estimateTokens([compaction]) <= mostTokens ? compaction : undefined;
}

function trimText(
  { history, ledger }: CompactionInput,
  { isSummary, mostTokens }: { readonly isSummary: SummaryTest; readonly mostTokens: number },
): string {
  const sections = [
    'The program cut the earlier part of the thread, because it could not get a summary: what the model said and what ' +
      'tools gave back is gone, and only messages of the user are kept.',
    ledger === undefined
      ? 'Look at the state of the files before you go on.'
      : 'The work ledger right above this message lists the plan, the files and the commands; rely on it, and look at the state of the files before you go on.',
  ];
  const earlier = history.findLast((item) => isSummary(item));
  const lastWords = history.findLast((item) => item.type === 'message' && item.role === 'assistant');
  const extras = [
    quote('Summary of a still earlier part:', withoutPrefix(earlier), EARLIER_SUMMARY_TOKENS),
    quote('The last thing that the model said:', withoutPrefix(lastWords), LAST_WORDS_TOKENS),
  ].filter((text) => text !== undefined);
  if (estimateTokens(extras.map(userText)) <= mostTokens) sections.push(...extras);
  return sections.join('\n\n');
}

function quote(title: string, text: string | undefined, limit: number): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  return `${title}\n${truncateMiddle(text, { mode: 'tokens', limit })}`;
}

function withoutPrefix(item: ResponseItem | undefined): string | undefined {
  if (item?.type !== 'message') return undefined;
  const text = plainText(item);
  return text.startsWith(`${SUMMARY_PREFIX}\n`) ? text.slice(SUMMARY_PREFIX.length + 1) : text;
}
