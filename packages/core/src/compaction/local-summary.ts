import { ModelError, type ResponseItem } from '@quire/protocol';
import { History, withoutOldest } from '../history/history.ts';
import { plainText, userText } from '../history/message-text.ts';
import { buildModelRequest } from '../thread/model-request.ts';
import type { CompactedHistory, CompactionInput, CompactionListener, CompactionPorts } from './compaction.ts';
import {
  arrangeHistory,
  keptUserMessages,
  recogniseSummaries,
  summaryMessage,
  userMessageBudget,
} from './history-shape.ts';
import { streamedAnswer } from './streamed-answer.ts';

const SUMMARY_REQUEST = `The context window is almost full. Everything above will be removed except for the user's own messages, and whoever goes on with this work will have only what you write now. Do not call tools and do not go on with the task; write the handover.

Cover, in plain sentences or short lists:
- what the user wants, with every constraint and preference that still holds
- what is finished, and how it was checked
- what is half done right now: the file, the function, the failing test, the exact error
- the decisions that were made, and why; what was tried and did not work
- facts that were expensive to find out: names, paths, signatures, commands, values
- what to do next, in order

Leave out pleasantries, long quotations of files, and anything that no longer matters. Do not invent: where you are not sure, say so.`;

const NO_SUMMARY = '(no summary available)';

/** The model itself writes the summary, without tools. */
export async function summariseLocally(
  input: CompactionInput,
  ports: CompactionPorts,
  listener: CompactionListener,
  { signal }: { readonly signal: AbortSignal },
): Promise<CompactedHistory> {
  const isSummary = recogniseSummaries(input.knownSummaries);
  const answer = await askForSummary(input, ports, listener, signal);
  const text = answer.map((item) =>
    item.type === 'message' && item.role === 'assistant' ? plainText(item) : undefined,
  );
  const written = text.findLast((part) => part !== undefined && part.trim() !== '') ?? '';
  const isEmpty = written.trim() === '';
  if (isEmpty && input.settings.compaction.strategies.at(-1) !== 'local') {
    throw new ModelError('response-failed', 'the model gave no summary', { retryable: false });
  }
  const message = summaryMessage(isEmpty ? NO_SUMMARY : written);
  const users = keptUserMessages(input.history, { isSummary, budgetTokens: userMessageBudget(input.targetWindow) });
  return {
    message: plainText(message),
    history: arrangeHistory([...users, message], input, { summary: message, isSummary }),
  };
}

/** What does not fit the window is asked for again without its oldest part. */
async function askForSummary(
  { settings, history }: CompactionInput,
  ports: CompactionPorts,
  listener: CompactionListener,
  signal: AbortSignal,
): Promise<readonly ResponseItem[]> {
  const prompt = userText(settings.compaction.prompt ?? SUMMARY_REQUEST);
  const sendable = history.filter((item) => item.type !== 'ghost_snapshot');
  let items: readonly ResponseItem[] = sendable;
  for (;;) {
    const request = buildModelRequest(settings, new History([...items, prompt]), {
      tools: [],
      outputSchema: undefined,
    });
    try {
      const answer = await streamedAnswer(request, ports, listener, {
        maxRetries: settings.streamMaxRetries,
        signal,
      });
      const dropped = sendable.length - items.length;
      if (dropped > 0) {
        listener.notice(
          `The summary leaves out the ${dropped} oldest items: with them the request did not fit the window.`,
        );
      }
      return answer;
    } catch (error) {
      const isTooLong = error instanceof ModelError && error.code === 'context-window-exceeded';
      if (!isTooLong || items.length === 0) throw error;
      items = withoutOldest(items);
    }
  }
}
