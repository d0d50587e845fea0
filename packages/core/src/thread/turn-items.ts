import type { JsonObject, MessageItem, ResponseItem, TurnItem, WebSearchCallItem } from '@quire/protocol';
import { parseSearchAction, searchDetail } from '../tools/web-search/search-action.ts';

/** The timeline element that a finished model item stands for, or `undefined` when it shows nothing. */
export function turnItemOf(item: ResponseItem, id: string): TurnItem | undefined {
  switch (item.type) {
    case 'message':
      return item.role === 'assistant' ? agentMessage(item, id) : undefined;
    case 'reasoning':
      return {
        kind: 'reasoning',
        id,
        summary: item.summary.map((part) => part.text),
        raw: (item.content ?? []).map((part) => part.text),
      };
    case 'web_search_call':
      return webSearch(item, id);
    default:
      return undefined;
  }
}

/** Text of a message's text parts. */
export function messageText(item: MessageItem): string {
  let text = '';
  for (const part of item.content) if (part.type === 'output_text' || part.type === 'input_text') text += part.text;
  return text;
}

function agentMessage(item: MessageItem, id: string): TurnItem {
  const text = messageText(item);
  return item.phase === undefined
    ? { kind: 'agent-message', id, text }
    : { kind: 'agent-message', id, text, phase: item.phase };
}

/** What clients show for a search. Source: the peer's one-line details. */
function webSearch(item: WebSearchCallItem, id: string): TurnItem {
  const action: JsonObject = item.action ?? { type: 'other' };
  return { kind: 'web-search', id, query: searchDetail(parseSearchAction(item.action)), action };
}
