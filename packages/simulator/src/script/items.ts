/** Builders for the items of a response. Source: event shapes of the Responses API, observed traffic. */
import type { JsonObject } from '@quire/protocol';
import { eventPart, type Output, output } from './output.ts';
import type { StreamPart } from './step.ts';

export interface TextOptions {
  /**
   * How the text is divided into delta events: a number of about equal pieces, or the pieces themselves (they
   * should add up to the text). One piece when absent.
   */
  readonly chunks?: number | Iterable<string>;
  readonly id?: string;
  /** `commentary` or `final_answer`. */
  readonly phase?: string;
}

/** An assistant message. */
export function text(content: string, options: TextOptions = {}): Output {
  return output(function* (context, outputIndex) {
    const id = options.id ?? context.nextItemId('msg');
    const phase = options.phase === undefined ? {} : { phase: options.phase };
    const item = { type: 'message', role: 'assistant', id, ...phase };
    yield added({ ...item, content: [] }, outputIndex);
    const fields = { item_id: id, output_index: outputIndex, content_index: 0 };
    yield* deltas('response.output_text.delta', fields, pieces(content, options.chunks));
    yield done({ ...item, content: [{ type: 'output_text', text: content }] }, outputIndex);
  });
}

export interface ReasoningOptions {
  readonly id?: string;
  readonly encrypted?: string;
  /** Raw reasoning text, streamed after the summary. */
  readonly content?: string;
}

/** A reasoning item with a one-part summary. */
export function reasoning(summary: string, options: ReasoningOptions = {}): Output {
  return output(function* (context, outputIndex) {
    const id = options.id ?? context.nextItemId('rs');
    const item = { type: 'reasoning', id };
    const fields = { item_id: id, output_index: outputIndex };
    const part = { type: 'summary_text', text: summary };
    yield added({ ...item, summary: [] }, outputIndex);
    yield eventPart({ type: 'response.reasoning_summary_part.added', ...fields, summary_index: 0 });
    yield* deltas('response.reasoning_summary_text.delta', { ...fields, summary_index: 0 }, [summary]);
    yield eventPart({ type: 'response.reasoning_summary_text.done', ...fields, summary_index: 0, text: summary });
    if (options.content !== undefined) {
      yield* deltas('response.reasoning_text.delta', { ...fields, content_index: 0 }, [options.content]);
    }
    const content =
      options.content === undefined ? {} : { content: [{ type: 'reasoning_text', text: options.content }] };
    yield done({ ...item, summary: [part], ...content, encrypted_content: options.encrypted ?? null }, outputIndex);
  });
}

export interface CallOptions {
  readonly id?: string;
  /** Number of delta events the arguments are divided into; 1 when absent. */
  readonly chunks?: number;
}

/** A function call. `args` is an object, or the exact argument text when it should be odd. */
export function functionCall(
  callId: string,
  name: string,
  args: JsonObject | string,
  options: CallOptions & { readonly namespace?: string } = {},
): Output {
  const argumentText = typeof args === 'string' ? args : JSON.stringify(args);
  return output(function* (context, outputIndex) {
    const id = options.id ?? context.nextItemId('fc');
    const namespace = options.namespace === undefined ? {} : { namespace: options.namespace };
    const item = { type: 'function_call', id, call_id: callId, name, ...namespace };
    yield added({ ...item, arguments: '' }, outputIndex);
    const fields = { item_id: id, output_index: outputIndex };
    yield* deltas('response.function_call_arguments.delta', fields, pieces(argumentText, options.chunks));
    yield done({ ...item, arguments: argumentText }, outputIndex);
  });
}

/** A call of a freeform tool. */
export function customToolCall(callId: string, name: string, input: string, options: CallOptions = {}): Output {
  return output(function* (context, outputIndex) {
    const id = options.id ?? context.nextItemId('ctc');
    const item = { type: 'custom_tool_call', id, status: 'completed', call_id: callId, name };
    yield added({ ...item, status: 'in_progress', input: '' }, outputIndex);
    const fields = { item_id: id, call_id: callId, output_index: outputIndex };
    yield* deltas('response.custom_tool_call_input.delta', fields, pieces(input, options.chunks));
    yield done({ ...item, input }, outputIndex);
  });
}

/** A search the server did by itself. */
export function webSearch(action: JsonObject | string, options: { readonly id?: string } = {}): Output {
  return output((context, outputIndex) => {
    const id = options.id ?? context.nextItemId('ws');
    const item = { type: 'web_search_call', id };
    const full = typeof action === 'string' ? { type: 'search', query: action } : action;
    return [
      added({ ...item, status: 'in_progress' }, outputIndex),
      done({ ...item, status: 'completed', action: full }, outputIndex),
    ];
  });
}

/** What stands for a compacted history. */
export function compaction(encrypted: string, options: { readonly id?: string } = {}): Output {
  return output((context, outputIndex) => {
    const id = options.id ?? context.nextItemId('cmp');
    return [done({ type: 'compaction', id, encrypted_content: encrypted }, outputIndex)];
  });
}

/** Any item, announced and finished with the same content. */
export function rawItem(item: JsonObject): Output {
  return output((_context, outputIndex) => [added(item, outputIndex), done(item, outputIndex)]);
}

function added(item: JsonObject, outputIndex: number): StreamPart {
  return eventPart({ type: 'response.output_item.added', output_index: outputIndex, item });
}

function done(item: JsonObject, outputIndex: number): StreamPart {
  return eventPart({ type: 'response.output_item.done', output_index: outputIndex, item });
}

/** The fixed part is encoded once: a bench sends 100,000 of these. */
function* deltas(type: string, fields: JsonObject, contents: Iterable<string>): Generator<StreamPart> {
  const head = `${JSON.stringify({ type, ...fields }).slice(0, -1)},"delta":`;
  for (const content of contents) yield { kind: 'event', type, json: `${head}${JSON.stringify(content)}}` };
}

/** Cuts between characters; never inside a surrogate pair. */
function* pieces(content: string, chunks: number | Iterable<string> | undefined): Generator<string> {
  if (chunks !== undefined && typeof chunks !== 'number') {
    yield* chunks;
    return;
  }
  const count = Math.max(1, Math.floor(chunks ?? 1));
  let start = 0;
  for (let index = 1; index <= count; index += 1) {
    let end = index === count ? content.length : Math.floor((content.length * index) / count);
    if (end > 0 && end < content.length && isHighSurrogate(content.charCodeAt(end - 1))) end += 1;
    if (end > start || count === 1) yield content.slice(start, end);
    start = Math.max(start, end);
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
