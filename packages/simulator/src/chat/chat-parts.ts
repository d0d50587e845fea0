/** A response's events as chunks of a chat completion. Source: transport sheet section 19. */
import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import type { EventPart, StreamPart } from '../script/step.ts';

interface ChatState {
  id: string;
  /** Place among the tool calls, by item id. */
  readonly calls: Map<string, number>;
  /** Items whose content already went out in fragments. */
  readonly streamed: Set<string>;
  callCount: number;
}

/** @param options.done data behind the last chunk; `undefined`: none */
export function* toChatParts(
  parts: Iterable<StreamPart>,
  options: { readonly done: string | undefined },
): Generator<StreamPart> {
  const state: ChatState = { id: 'chatcmpl', calls: new Map(), streamed: new Set(), callCount: 0 };
  for (const part of parts) {
    if (part.kind === 'event') yield* translate(part, state, options.done);
    else if (part.kind === 'precomputed') for (const event of part.events) yield* translate(event, state, options.done);
    else yield part;
  }
}

function* translate(part: EventPart, state: ChatState, done: string | undefined): Generator<StreamPart> {
  const event = parse(part.json);
  if (event === undefined) {
    yield part; // malformed on purpose
    return;
  }
  switch (part.type) {
    case 'response.created':
      state.id = stringAt(objectIn(event, 'response'), 'id') ?? state.id;
      yield delta(state, { role: 'assistant', content: '' });
      return;
    case 'response.output_text.delta':
    case 'response.reasoning_text.delta':
    case 'response.reasoning_summary_text.delta': {
      state.streamed.add(stringAt(event, 'item_id') ?? '');
      const field = part.type === 'response.output_text.delta' ? 'content' : 'reasoning';
      yield delta(state, { [field]: event['delta'] ?? '' });
      return;
    }
    case 'response.output_item.added':
      yield* announceCall(objectIn(event, 'item'), state);
      return;
    case 'response.function_call_arguments.delta': {
      const id = stringAt(event, 'item_id') ?? '';
      state.streamed.add(id);
      yield delta(state, callFragment(state.calls.get(id) ?? 0, { arguments: event['delta'] ?? '' }));
      return;
    }
    case 'response.output_item.done':
      yield* finishItem(objectIn(event, 'item'), state);
      return;
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
    case 'error':
      yield* finish(part.type, event, { state, done });
      return;
    default:
      return; // has no counterpart
  }
}

function* announceCall(item: JsonObject, state: ChatState): Generator<StreamPart> {
  const type = item['type'];
  if (type !== 'function_call' && type !== 'custom_tool_call') return;
  const index = state.callCount;
  state.callCount += 1;
  state.calls.set(stringAt(item, 'id') ?? '', index);
  const head = { id: item['call_id'] ?? null, type: 'function' };
  yield delta(state, callFragment(index, { name: item['name'] ?? null, arguments: '' }, head));
}

/** What no delta has said yet. */
function* finishItem(item: JsonObject, state: ChatState): Generator<StreamPart> {
  const id = stringAt(item, 'id') ?? '';
  if (state.streamed.has(id)) return;
  const type = item['type'];
  if (type === 'message') yield delta(state, { content: textOf(item) });
  if (type !== 'function_call' && type !== 'custom_tool_call') return;
  if (!state.calls.has(id)) yield* announceCall(item, state);
  const input = type === 'function_call' ? (item['arguments'] ?? '') : JSON.stringify({ input: item['input'] ?? '' });
  yield delta(state, callFragment(state.calls.get(id) ?? 0, { arguments: input }));
}

function* finish(
  type: string,
  event: JsonObject,
  options: { readonly state: ChatState; readonly done: string | undefined },
): Generator<StreamPart> {
  const { state } = options;
  const response = objectIn(event, 'response');
  if (type === 'response.failed' || type === 'error') {
    yield chunk({ error: response['error'] ?? event['error'] ?? null });
    return;
  }
  yield delta(state, {}, finishReason(type, response, state));
  const usage = response['usage'];
  if (isJsonObject(usage)) {
    yield chunk({ ...head(state), choices: [], usage: usageOf(usage) });
  }
  if (options.done !== undefined) yield { kind: 'event', type: 'done', json: options.done };
}

function finishReason(type: string, response: JsonObject, state: ChatState): string {
  if (type === 'response.completed') return state.callCount > 0 ? 'tool_calls' : 'stop';
  const reason = stringAt(objectIn(response, 'incomplete_details'), 'reason') ?? 'length';
  return reason === 'max_output_tokens' ? 'length' : reason;
}

function usageOf(usage: JsonObject): JsonObject {
  return {
    prompt_tokens: usage['input_tokens'] ?? 0,
    completion_tokens: usage['output_tokens'] ?? 0,
    total_tokens: usage['total_tokens'] ?? 0,
  };
}

function callFragment(index: number, called: JsonObject, fields: JsonObject = {}): JsonObject {
  return { tool_calls: [{ index, ...fields, function: called }] };
}

function delta(state: ChatState, content: JsonObject, reason: string | null = null): EventPart {
  return chunk({ ...head(state), choices: [{ index: 0, delta: content, finish_reason: reason }] });
}

function head(state: ChatState): JsonObject {
  return { id: state.id, object: 'chat.completion.chunk', created: 0, model: 'simulator' };
}

function chunk(fields: JsonObject): EventPart {
  return { kind: 'event', type: 'chat.completion.chunk', json: JSON.stringify(fields) };
}

function textOf(item: JsonObject): string {
  const content = item['content'];
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isJsonObject(part) ? (stringAt(part, 'text') ?? '') : '')).join('');
}

function objectIn(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function parse(json: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined; // a script may send what is no JSON
  }
}
