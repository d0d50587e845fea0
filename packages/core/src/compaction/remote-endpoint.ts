import { ModelError, type ResponseItem } from '@quire/protocol';
import { isUserTurnBoundary } from '../context/fragments.ts';
import { plainText, userText } from '../history/message-text.ts';
import { truncateMiddle } from '../history/truncate-output.ts';
import type { CompactedHistory, CompactionInput, CompactionListener, CompactionPorts } from './compaction.ts';
import {
  arrangeHistory,
  isCompactionItem,
  personalText,
  recogniseSummaries,
  type SummaryTest,
  userMessageBudget,
} from './history-shape.ts';
import { compactionRequest } from './remote-request.ts';

/** Characters by which a message that was cut in the middle is known again. */
const RECOGNISED_START = 200;

/** The provider's own endpoint: it gives back the new history. Source: the peer of spring 2026. */
export async function compactByEndpoint(
  input: CompactionInput,
  { model }: CompactionPorts,
  _listener: CompactionListener,
  { signal }: { readonly signal: AbortSignal },
): Promise<CompactedHistory> {
  if (model.compact === undefined) throw badAnswer('this line has no endpoint for it');
  const request = compactionRequest(input);
  const answer = await model.compact(request, { signal });
  const kept = answer.filter(isKept);
  const summary = summaryOf(kept, request.input);
  const isSummary = recogniseSummaries(input.knownSummaries);
  const messages = withLastUserMessage(kept, { input, sent: request.input, summary, isSummary });
  return { message: '', history: arrangeHistory(messages, input, { summary, isSummary }) };
}

/** Context is told anew and calls are over; what people and the model said stays. */
function isKept(item: ResponseItem): boolean {
  if (item.type === 'message') return item.role === 'assistant' || isUserTurnBoundary(item);
  return isCompactionItem(item);
}

/**
 * The compaction item, or the last message that the history does not hold.
 * @throws ModelError when there is none, or more than one compaction item
 */
function summaryOf(kept: readonly ResponseItem[], history: readonly ResponseItem[]): ResponseItem {
  if (kept.length === 0) throw badAnswer('the answer holds nothing to go on from');
  const compactions = kept.filter(isCompactionItem);
  if (compactions.length > 1) throw badAnswer(`the answer holds ${compactions.length} compaction items instead of one`);
  const [compaction] = compactions;
  if (compaction !== undefined) {
    if ((compaction.encrypted_content ?? '') === '') throw badAnswer('the compaction item of the answer is empty');
    return compaction;
  }
  const known = new Set(history.map(messageTextOf));
  const summary = kept.findLast((item) => {
    const text = messageTextOf(item);
    return text !== undefined && text.trim() !== '' && !known.has(text);
  });
  if (summary === undefined) throw badAnswer('the answer holds no summary');
  return summary;
}

function messageTextOf(item: ResponseItem): string | undefined {
  return item.type === 'message' ? plainText(item) : undefined;
}

/** What a person said last is never lost: when the answer lacks it, it is put in before the summary. */
function withLastUserMessage(
  kept: readonly ResponseItem[],
  {
    input,
    sent,
    summary,
    isSummary,
  }: {
    readonly input: CompactionInput;
    /** As the provider got it. */
    readonly sent: readonly ResponseItem[];
    readonly summary: ResponseItem;
    readonly isSummary: SummaryTest;
  },
): readonly ResponseItem[] {
  const last = lastPersonalText(sent, isSummary);
  if (last === undefined) return kept;
  const start = last.slice(0, RECOGNISED_START);
  const isThere = kept.some(
    (item) => item !== summary && item.type === 'message' && item.role === 'user' && plainText(item).startsWith(start),
  );
  if (isThere) return kept;
  const message = userText(truncateMiddle(last, { mode: 'tokens', limit: userMessageBudget(input.targetWindow) }));
  return kept.flatMap((item) => (item === summary ? [message, item] : [item]));
}

function lastPersonalText(history: readonly ResponseItem[], isSummary: SummaryTest): string | undefined {
  for (let index = history.length - 1; index >= 0; index -= 1) {
    const item = history[index];
    const text = item === undefined ? undefined : personalText(item, isSummary);
    if (text !== undefined) return text;
  }
  return undefined;
}

function badAnswer(message: string): ModelError {
  return new ModelError('stream-protocol', message, { retryable: false });
}
