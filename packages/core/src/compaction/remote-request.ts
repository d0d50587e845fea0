import type { ResponseItem, ToolOutputItem } from '@quire/protocol';
import { isContextual } from '../context/fragments.ts';
import { estimateItemTokens, estimateTokens } from '../history/estimate-tokens.ts';
import { History } from '../history/history.ts';
import { isToolOutput, promptItems } from '../history/normalize-history.ts';
import { effectiveContextWindow } from '../model/effective-window.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import { buildModelRequest } from '../thread/model-request.ts';
import type { CompactionInput } from './compaction.ts';
import { frameTokens } from './frame-tokens.ts';

const OUTPUT_LEFT_OUT = '[this output is left out: with it the request would not fit the context window]';

/** The history with the tools of the turn, made to fit the window of the model that compacts. */
export function compactionRequest(input: CompactionInput): ModelRequest {
  const { settings, history, tools } = input;
  const request = buildModelRequest(settings, new History(history), { tools, outputSchema: undefined });
  const window = effectiveContextWindow(settings.model);
  if (window === undefined) return request;
  return { ...request, input: promptItems(fitToWindow(request.input, window - frameTokens(input))) };
}

/**
 * Takes from the end, where what was just read makes the history too long: bodies of tool outputs and messages of
 * the harness, up to the first item of another kind. Earlier items are left as they are.
 */
function fitToWindow(items: readonly ResponseItem[], budgetTokens: number): readonly ResponseItem[] {
  let excess = estimateTokens(items) - budgetTokens;
  let end = items.length;
  const tail: ResponseItem[] = [];
  while (excess > 0 && end > 0) {
    const item = items[end - 1];
    if (item === undefined) break;
    if (isToolOutput(item)) {
      const short: ToolOutputItem = { ...item, output: OUTPUT_LEFT_OUT };
      const saved = estimateItemTokens(item) - estimateItemTokens(short);
      tail.push(saved > 0 ? short : item);
      excess -= Math.max(0, saved);
    } else if (isHarnessMessage(item)) excess -= estimateItemTokens(item);
    else break;
    end -= 1;
  }
  return end === items.length ? items : [...items.slice(0, end), ...tail.reverse()];
}

function isHarnessMessage(item: ResponseItem): boolean {
  return (item.type === 'message' && item.role === 'developer') || isContextual(item);
}
