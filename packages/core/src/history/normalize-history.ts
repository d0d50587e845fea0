import type { ResponseItem, ToolCallItem, ToolOutputItem } from '@quire/protocol';

/** Output given to a call whose real outcome is not known any more. Source: the peer's repair text. */
export const UNKNOWN_OUTCOME = 'aborted';
const IMAGE_OMITTED = 'image content omitted because you do not support image input';

export function isToolCall(item: ResponseItem): item is ToolCallItem {
  return item.type === 'function_call' || item.type === 'custom_tool_call' || item.type === 'local_shell_call';
}

export function isToolOutput(item: ResponseItem): item is ToolOutputItem {
  return item.type === 'function_call_output' || item.type === 'custom_tool_call_output';
}

/** The kind of output that answers `call`. A local shell call is answered by a function output. */
function outputFor(call: ToolCallItem, callId: string, output: string): ToolOutputItem {
  return call.type === 'custom_tool_call'
    ? { type: 'custom_tool_call_output', call_id: callId, output }
    : { type: 'function_call_output', call_id: callId, output };
}

function answers(call: ToolCallItem, output: ToolOutputItem): boolean {
  return (call.type === 'custom_tool_call') === (output.type === 'custom_tool_call_output');
}

/**
 * History as it may be sent: every call has exactly one output after it, nothing answers a call that is
 * not there. The stored history is not touched; where nothing needs repair the same array comes back,
 * so that item identity (and what is cached for it) survives.
 */
export function normalizeHistory(
  items: readonly ResponseItem[],
  options: { readonly acceptsImages: boolean },
): readonly ResponseItem[] {
  const paired = isPaired(items) ? items : repairPairs(items);
  if (options.acceptsImages || !paired.some(holdsImage)) return paired;
  return paired.map((item) => (holdsImage(item) ? withoutImages(item) : item));
}

function isPaired(items: readonly ResponseItem[]): boolean {
  const open = new Map<string, ToolCallItem>();
  for (const item of items) {
    if (isToolCall(item)) {
      if (item.call_id === undefined || open.has(item.call_id)) return false;
      open.set(item.call_id, item);
    } else if (isToolOutput(item)) {
      const call = open.get(item.call_id);
      if (call === undefined || !answers(call, item)) return false;
      open.delete(item.call_id);
    }
  }
  return open.size === 0;
}

function repairPairs(items: readonly ResponseItem[]): readonly ResponseItem[] {
  const outputIndexes = matchOutputs(items);
  const kept = new Set(outputIndexes.values());
  const repaired: ResponseItem[] = [];
  items.forEach((item, index) => {
    if (isToolOutput(item)) {
      if (kept.has(index)) repaired.push(item);
      return;
    }
    repaired.push(item);
    if (isToolCall(item) && item.call_id !== undefined && !outputIndexes.has(index)) {
      repaired.push(outputFor(item, item.call_id, UNKNOWN_OUTCOME));
    }
  });
  return repaired;
}

/** For the index of each answered call, the index of the output that answers it: the first fitting one after it. */
function matchOutputs(items: readonly ResponseItem[]): ReadonlyMap<number, number> {
  const open = new Map<string, number>();
  const matched = new Map<number, number>();
  items.forEach((item, index) => {
    if (isToolCall(item) && item.call_id !== undefined) open.set(item.call_id, index);
    if (!isToolOutput(item)) return;
    const callIndex = open.get(item.call_id);
    const call = callIndex === undefined ? undefined : items[callIndex];
    if (callIndex === undefined || call === undefined || !isToolCall(call) || !answers(call, item)) return;
    matched.set(callIndex, index);
    open.delete(item.call_id);
  });
  return matched;
}

function holdsImage(item: ResponseItem): boolean {
  if (item.type === 'message') return item.content.some((part) => part.type === 'input_image');
  return (
    isToolOutput(item) && typeof item.output !== 'string' && item.output.some((part) => part.type === 'input_image')
  );
}

function withoutImages(item: ResponseItem): ResponseItem {
  if (item.type === 'message') {
    return {
      ...item,
      content: item.content.map((part) =>
        part.type === 'input_image' ? { type: 'input_text' as const, text: IMAGE_OMITTED } : part,
      ),
    };
  }
  if (!isToolOutput(item) || typeof item.output === 'string') return item;
  return {
    ...item,
    output: item.output.map((part) =>
      part.type === 'input_image' ? { type: 'input_text' as const, text: IMAGE_OMITTED } : part,
    ),
  };
}
