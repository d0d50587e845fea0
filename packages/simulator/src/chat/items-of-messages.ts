import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';

/** A conversation of chat messages as the items it stands for, so that one set of rules reads both. */
export function itemsOfMessages(messages: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(messages) ? messages.filter(isJsonObject).flatMap(itemsOfMessage) : [];
}

function itemsOfMessage(message: JsonObject): readonly JsonObject[] {
  const { role, content } = message;
  if (role === 'tool') {
    return [{ type: 'function_call_output', call_id: message['tool_call_id'] ?? null, output: content ?? null }];
  }
  const reasoning = stringAt(message, 'reasoning');
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].filter(isJsonObject) : [];
  const hasContent = content !== null && content !== undefined && content !== '';
  return [
    ...(reasoning === undefined
      ? []
      : [{ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: reasoning }] }]),
    ...(hasContent || calls.length === 0
      ? [{ type: 'message', role: role ?? null, content: partsOf(content, role === 'assistant') }]
      : []),
    ...calls.map(itemOfCall),
  ];
}

function partsOf(content: JsonValue | undefined, isAssistant: boolean): JsonValue {
  const type = isAssistant ? 'output_text' : 'input_text';
  if (typeof content === 'string') return [{ type, text: content }];
  if (!Array.isArray(content)) return null;
  return content.filter(isJsonObject).map((part) => (part['type'] === 'text' ? { ...part, type } : part));
}

function itemOfCall(call: JsonObject): JsonObject {
  const called = isJsonObject(call['function']) ? call['function'] : {};
  return {
    type: 'function_call',
    call_id: call['id'] ?? null,
    name: called['name'] ?? null,
    arguments: called['arguments'] ?? null,
  };
}
