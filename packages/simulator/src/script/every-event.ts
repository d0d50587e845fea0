import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';
import { eventPart } from './output.ts';
import { type EventPart, mapAnswer, type Step, type StreamPart } from './step.ts';

/**
 * The events of a response as verbose as the service sends them: whole response objects, content parts that begin and
 * end, texts and arguments repeated when done, sequence numbers. Agents read past these; general clients, which build
 * the response from its events, need them. Source: public reference of the Responses API.
 */
export function everyEvent(step: Step): Step {
  return mapAnswer(step, (answer) =>
    answer.kind === 'stream' ? { ...answer, parts: (context) => numbered(expand(answer.parts(context))) } : answer,
  );
}

function* numbered(parts: Iterable<StreamPart>): Generator<StreamPart> {
  let sequence = 0;
  for (const part of parts) {
    const fields = part.kind === 'event' ? parse(part.json) : undefined;
    if (fields === undefined) yield part;
    else yield eventPart({ ...fields, sequence_number: sequence++ });
  }
}

function* expand(parts: Iterable<StreamPart>): Generator<StreamPart> {
  const output: JsonObject[] = [];
  for (const part of parts) {
    const fields = part.kind === 'event' ? parse(part.json) : undefined;
    const item = fields?.['item'];
    if (fields === undefined || part.kind !== 'event') yield part;
    else if (isJsonObject(fields['response']))
      yield eventPart({ ...fields, response: wholeResponse(part, fields['response'], output) });
    else if (part.type === 'response.output_item.added' && isJsonObject(item)) {
      yield part;
      if (item['type'] === 'web_search_call') {
        yield eventPart({ type: 'response.web_search_call.in_progress', ...placeOf(fields, item) });
        yield eventPart({ type: 'response.web_search_call.searching', ...placeOf(fields, item) });
      }
      if (item['type'] === 'message') {
        yield contentPart('response.content_part.added', fields, { type: 'output_text', text: '', annotations: [] });
      }
    } else if (part.type === 'response.output_item.done' && isJsonObject(item)) {
      yield* endOfItem(fields, item);
      yield part;
      output.push(item);
    } else yield part;
  }
}

function* endOfItem(fields: JsonObject, item: JsonObject): Generator<EventPart> {
  const place = placeOf(fields, item);
  if (item['type'] === 'web_search_call') {
    yield eventPart({ type: 'response.web_search_call.completed', ...place });
  }
  if (item['type'] === 'function_call') {
    const { arguments: words = '', name = '' } = item;
    yield eventPart({ type: 'response.function_call_arguments.done', ...place, name, arguments: words });
  }
  const content = item['content'];
  if (item['type'] !== 'message' || !Array.isArray(content)) return;
  const text = content.map((entry) => (isJsonObject(entry) ? (stringAt(entry, 'text') ?? '') : '')).join('');
  yield eventPart({ type: 'response.output_text.done', ...place, content_index: 0, text, logprobs: [] });
  yield contentPart('response.content_part.done', fields, { type: 'output_text', text, annotations: [] });
}

function placeOf(fields: JsonObject, item: JsonObject): JsonObject {
  return { item_id: item['id'] ?? null, output_index: fields['output_index'] ?? 0 };
}

function contentPart(type: string, fields: JsonObject, part: JsonObject): EventPart {
  const item = fields['item'];
  const place = {
    item_id: isJsonObject(item) ? (item['id'] ?? null) : null,
    output_index: fields['output_index'] ?? 0,
  };
  return eventPart({ type, ...place, content_index: 0, part });
}

const STATUS: Readonly<Record<string, string>> = {
  'response.completed': 'completed',
  'response.failed': 'failed',
  'response.incomplete': 'incomplete',
};

function wholeResponse(part: EventPart, response: JsonObject, output: readonly JsonValue[]): JsonObject {
  const status = STATUS[part.type] ?? 'in_progress';
  return {
    object: 'response',
    created_at: 0,
    status,
    model: 'simulator',
    error: null,
    output: [...output],
    ...response,
  };
}

function parse(json: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined; // malformed on purpose
  }
}
