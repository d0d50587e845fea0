import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ModelError,
  type ModelEvent,
  type ResponseItem,
  stringAt,
} from '@quire/protocol';
import { withoutSecrets } from '../errors/redact.ts';
import type { CodecReport, SseCodec } from '../sse/sse-codec.ts';
import { FREE_TEXT_PARAMETER } from './chat-body.ts';

interface CallFragments {
  id: string | undefined;
  name: string;
  text: string;
}

export interface ChatCodecOptions {
  readonly requestId: string | undefined;
  /** Values that no error may repeat. Default: none. */
  readonly secrets?: readonly string[];
  /** Names of tools that take free text; their calls come back as such. */
  readonly freeTextTools: ReadonlySet<string>;
}

/**
 * A stream of chat completion chunks, as the events of a Responses stream. Text and reasoning become one
 * item each, calls are put together from their fragments. `[DONE]` and `DONE` end it, and so does the end
 * of the body: this dialect has nothing else that a whole answer could be told by.
 */
export class ChatCodec implements SseCodec {
  readonly #options: ChatCodecOptions;
  #reasoning: string | undefined;
  #text: string | undefined;
  readonly #calls = new Map<string, CallFragments>();
  #completed = false;
  #reportedError: string | undefined;

  constructor(options: ChatCodecOptions) {
    this.#options = options;
  }

  get reportedError(): string | undefined {
    return this.#reportedError;
  }

  data(text: string, into: ModelEvent[], report: CodecReport): boolean {
    const trimmed = text.trim();
    if (trimmed === '') return false;
    if (trimmed === '[DONE]' || trimmed === 'DONE') return this.end(into);
    let raw: unknown;
    try {
      raw = JSON.parse(trimmed);
    } catch {
      // Skipped and reported: hosts of this dialect send all sorts of keep-alives.
      report.problem({ kind: 'not-json', type: undefined });
      return false;
    }
    const choices = isJsonObject(raw) ? raw['choices'] : undefined;
    if (!isJsonObject(raw) || !Array.isArray(choices)) {
      if (isJsonObject(raw) && isJsonObject(raw['error'])) {
        const told = stringAt(raw['error'], 'message') ?? 'the provider sent an error';
        this.#reportedError = withoutSecrets(told, this.#options.secrets ?? []).slice(0, 1000);
      }
      report.problem({ kind: 'no-type', type: undefined });
      return false;
    }
    report.event('chat.completion.chunk');
    for (const choice of choices) if (isJsonObject(choice)) this.#choice(choice, into);
    return this.#completed;
  }

  end(into: ModelEvent[]): boolean {
    // An error instead of an answer must not pass as an empty answer.
    const empty = this.#text === undefined && this.#reasoning === undefined && this.#calls.size === 0;
    if (this.#reportedError !== undefined && empty) return false;
    this.#flush(into);
    return true;
  }

  #flush(into: ModelEvent[]): void {
    this.#flushReasoning(into);
    this.#flushText(into);
    this.#flushCalls(into);
    this.#complete(into);
  }

  #choice(choice: JsonObject, into: ModelEvent[]): void {
    const delta = isJsonObject(choice['delta']) ? choice['delta'] : {};
    const message = isJsonObject(choice['message']) ? choice['message'] : {};
    this.#addReasoning(delta['reasoning'] ?? delta['reasoning_content'], into);
    this.#addText(delta['content'], into);
    const calls = delta['tool_calls'];
    if (Array.isArray(calls)) for (const call of calls) if (isJsonObject(call)) this.#addCall(call);
    this.#addReasoning(message['reasoning'], into);
    switch (choice['finish_reason']) {
      case 'stop':
      case 'tool_calls':
        this.#flush(into);
        return;
      case 'length':
        throw new ModelError('context-window-exceeded', 'the answer did not fit into what the model can hold', {
          retryable: false,
          requestId: this.#options.requestId,
        });
      default:
    }
  }

  #addReasoning(value: JsonValue | undefined, into: ModelEvent[]): void {
    const delta = textIn(value);
    if (delta === '') return;
    if (this.#reasoning === undefined) {
      this.#reasoning = '';
      into.push({ kind: 'item-start', item: { type: 'reasoning', summary: [], content: null } });
    }
    this.#reasoning += delta;
    into.push({ kind: 'reasoning-content-delta', itemId: undefined, delta, contentIndex: 0 });
  }

  #addText(value: JsonValue | undefined, into: ModelEvent[]): void {
    const parts = Array.isArray(value) ? value : [value];
    for (const part of parts) {
      const delta = textIn(part);
      if (delta === '') continue;
      if (this.#text === undefined) {
        this.#flushReasoning(into);
        this.#text = '';
        into.push({ kind: 'item-start', item: { type: 'message', role: 'assistant', content: [] } });
      }
      this.#text += delta;
      into.push({ kind: 'text-delta', itemId: undefined, delta });
    }
  }

  /** Chunks after the first often lack the id, some hosts lack the index. */
  #addCall(fragment: JsonObject): void {
    const index = fragment['index'];
    const id = stringAt(fragment, 'id');
    const key =
      typeof index === 'number' ? `index ${index}` : id !== undefined ? `id ${id}` : `last ${this.#calls.size}`;
    let call = this.#calls.get(key);
    if (call === undefined && typeof index !== 'number' && id === undefined) call = [...this.#calls.values()].at(-1);
    if (call === undefined) {
      call = { id: undefined, name: '', text: '' };
      this.#calls.set(key, call);
    }
    if (id !== undefined && id !== '') call.id ??= id;
    const details = isJsonObject(fragment['function']) ? fragment['function'] : {};
    if (call.name === '') call.name = stringAt(details, 'name') ?? '';
    call.text += stringAt(details, 'arguments') ?? '';
  }

  #flushReasoning(into: ModelEvent[]): void {
    const text = this.#reasoning;
    if (text === undefined) return;
    this.#reasoning = undefined;
    into.push({
      kind: 'item-end',
      item: { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text }] },
    });
  }

  #flushText(into: ModelEvent[]): void {
    const text = this.#text;
    if (text === undefined) return;
    this.#text = undefined;
    into.push({
      kind: 'item-end',
      item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
    });
  }

  #flushCalls(into: ModelEvent[]): void {
    let number = 0;
    for (const call of this.#calls.values()) {
      const callId = call.id ?? `tool-call-${number}`;
      number += 1;
      if (call.name !== '') into.push({ kind: 'item-end', item: this.#callItem(callId, call) });
    }
    this.#calls.clear();
  }

  #callItem(callId: string, call: CallFragments): ResponseItem {
    const input = this.#options.freeTextTools.has(call.name) ? freeText(call.text) : undefined;
    if (input !== undefined) return { type: 'custom_tool_call', call_id: callId, name: call.name, input };
    return { type: 'function_call', call_id: callId, name: call.name, arguments: call.text };
  }

  #complete(into: ModelEvent[]): void {
    if (this.#completed) return;
    this.#completed = true;
    into.push({ kind: 'response-end', responseId: '', usage: undefined, endTurn: undefined });
  }
}

/** A string, or an object that holds one. */
function textIn(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  if (!isJsonObject(value)) return '';
  return stringAt(value, 'text') ?? stringAt(value, 'content') ?? '';
}

/** What the model wrote under the one parameter; text that is not JSON is taken as it is. */
function freeText(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const input = isJsonObject(value) ? stringAt(value, FREE_TEXT_PARAMETER) : undefined;
    return input ?? text;
  } catch {
    // The model left out the JSON around it.
    return text;
  }
}
