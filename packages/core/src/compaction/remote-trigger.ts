import { ModelError, type ResponseItem } from '@quire/protocol';
import { withCompactionTrigger } from '../history/normalize-history.ts';
import type { CompactedHistory, CompactionInput, CompactionListener, CompactionPorts } from './compaction.ts';
import {
  arrangeHistory,
  isCompactionItem,
  keptUserMessages,
  recogniseSummaries,
  userMessageBudget,
} from './history-shape.ts';
import { compactionRequest } from './remote-request.ts';
import { streamedAnswer } from './streamed-answer.ts';

/** There are other ways, and nobody likes to wait. */
const MOST_RETRIES = 1;

/**
 * An ordinary request whose last item asks the provider to compact; its answer holds the compaction. Source:
 * observed with 0.169.
 */
export async function compactByTrigger(
  input: CompactionInput,
  ports: CompactionPorts,
  listener: CompactionListener,
  { signal }: { readonly signal: AbortSignal },
): Promise<CompactedHistory> {
  const { settings, history, targetWindow } = input;
  const request = compactionRequest(input);
  const answer = await streamedAnswer({ ...request, input: withCompactionTrigger(request.input) }, ports, listener, {
    maxRetries: Math.min(settings.streamMaxRetries, MOST_RETRIES),
    signal,
  });
  const compaction = onlyCompaction(answer);
  const isSummary = recogniseSummaries(input.knownSummaries);
  const users = keptUserMessages(history, { isSummary, budgetTokens: userMessageBudget(targetWindow) });
  return { message: '', history: arrangeHistory([...users, compaction], input, { summary: compaction, isSummary }) };
}

/** @throws ModelError unless there is exactly one, with something in it */
function onlyCompaction(answer: readonly ResponseItem[]): ResponseItem {
  const found = answer.filter(isCompactionItem);
  const [compaction] = found;
  if (compaction === undefined || found.length > 1) {
    const message = `the answer holds ${found.length} compaction items instead of one`;
    throw new ModelError('stream-protocol', message, { retryable: false });
  }
  if ((compaction.encrypted_content ?? '') === '') {
    throw new ModelError('stream-protocol', 'the compaction item of the answer is empty', { retryable: false });
  }
  return compaction;
}
