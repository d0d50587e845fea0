import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';

/** What the model and its tools contributed to a history, one short text per item; what the person wrote is left out. */
export function historyDigest(items: readonly JsonObject[]): readonly string[] {
  return items.flatMap((item) => {
    const callId = stringAt(item, 'call_id');
    switch (item['type']) {
      case 'message':
        return item['role'] === 'assistant' ? [`message ${partTexts(item['content'])}`] : [];
      case 'reasoning':
        return [`reasoning ${partTexts(item['summary'])}`];
      case 'function_call':
      case 'custom_tool_call':
        return [`call ${callId}`];
      case 'function_call_output':
      case 'custom_tool_call_output':
        return [`output ${callId}`];
      default:
        return [`${item['type']}`];
    }
  });
}

function partTexts(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts.map((part: unknown) => (isJsonObject(part) ? stringAt(part, 'text') : undefined)).join('|');
}
