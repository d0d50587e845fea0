import type { ModelRequest } from '@quire/core';
import {
  type ContentPart,
  type JsonObject,
  type JsonValue,
  ModelError,
  type ResponseItem,
  type ToolOutputBody,
  type ToolOutputPart,
  type ToolSpec,
} from '@quire/protocol';

/** The one parameter under which this dialect carries a tool that takes free text. */
export const FREE_TEXT_PARAMETER = 'input';

/**
 * The body of `POST …/chat/completions`. Throws ModelError 'configuration' for a request with an output
 * schema: this dialect has no place for one.
 */
export function chatBody(request: ModelRequest): Buffer {
  if (request.outputSchema !== undefined) {
    throw new ModelError(
      'configuration',
      'an output schema needs a provider with wire_api "responses"; this one speaks chat completions',
      { retryable: false },
    );
  }
  const tools = request.tools.flatMap(chatTool);
  const body: JsonObject = {
    model: request.model,
    messages: chatMessages(request),
    stream: true,
    ...(tools.length === 0 ? {} : { tools, tool_choice: 'auto', parallel_tool_calls: request.parallelToolCalls }),
  };
  return Buffer.from(JSON.stringify(body));
}

/** Calls in a row belong to one assistant message, and to the text before them. */
function chatMessages(request: ModelRequest): JsonObject[] {
  const messages: JsonObject[] = [{ role: 'system', content: request.instructions }];
  let calls: JsonObject[] | undefined;
  for (const item of request.input) {
    const call = toolCall(item);
    if (call !== undefined) {
      if (calls === undefined) {
        calls = [];
        const last = messages.at(-1);
        if (last?.['role'] === 'assistant') messages[messages.length - 1] = { ...last, tool_calls: calls };
        else messages.push({ role: 'assistant', content: null, tool_calls: calls });
      }
      calls.push(call);
      continue;
    }
    const message = chatMessage(item);
    if (message === undefined) continue;
    calls = undefined;
    messages.push(message);
  }
  return messages;
}

/** `undefined` for items that this dialect can not say. */
function chatMessage(item: ResponseItem): JsonObject | undefined {
  switch (item.type) {
    case 'message': {
      // Hosts of this dialect know `system` only.
      const role = item.role === 'developer' ? 'system' : item.role;
      return { role, content: chatContent(item.content) };
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'tool', tool_call_id: item.call_id, content: outputText(item.output) };
    default:
      return undefined;
  }
}

function toolCall(item: ResponseItem): JsonObject | undefined {
  switch (item.type) {
    case 'function_call':
      return call(item.call_id, item.name, item.arguments);
    case 'custom_tool_call':
      return call(item.call_id, item.name, JSON.stringify({ [FREE_TEXT_PARAMETER]: item.input }));
    case 'local_shell_call': {
      const id = item.call_id ?? item.id;
      return id === undefined ? undefined : call(id, 'local_shell', JSON.stringify(item.action));
    }
    default:
      return undefined;
  }
}

function call(id: string, name: string, text: string): JsonObject {
  return { id, type: 'function', function: { name, arguments: text } };
}

function chatContent(parts: readonly ContentPart[]): JsonValue {
  if (parts.every((part) => part.type !== 'input_image')) return parts.map(textOf).join('');
  return parts.map((part) =>
    part.type === 'input_image'
      ? { type: 'image_url', image_url: { url: part.image_url } }
      : { type: 'text', text: textOf(part) },
  );
}

function outputText(output: ToolOutputBody): string {
  return typeof output === 'string' ? output : output.map(textOf).join('\n');
}

/** A part of another kind is given as it is: the model may make something of it. */
function textOf(part: ContentPart | ToolOutputPart): string {
  if (part.type === 'input_text' || part.type === 'output_text') return part.text;
  return part.type === 'unknown' ? JSON.stringify(part.raw) : '[image]';
}

function chatTool(tool: ToolSpec): JsonObject[] {
  switch (tool.type) {
    case 'function': {
      const { name, description, parameters, strict } = tool;
      return [{ type: 'function', function: { name, description, parameters, strict } }];
    }
    case 'custom': {
      const { name } = tool;
      const grammar = tool.format.type === 'grammar' ? `\n\n${tool.format.definition}` : '';
      const parameters = {
        type: 'object',
        properties: { [FREE_TEXT_PARAMETER]: { type: 'string' } },
        required: [FREE_TEXT_PARAMETER],
        additionalProperties: false,
      };
      const description = `${tool.description}${grammar}`;
      return [{ type: 'function', function: { name, description, parameters, strict: false } }];
    }
    case 'web_search':
      // Only the first-party service searches by itself.
      return [];
    default:
      return [];
  }
}
