import {
  type JsonObject,
  ModelError,
  type ModelEvent,
  objectAt,
  parseResponseItem,
  type RateLimitSnapshot,
  stringAt,
} from '@quire/protocol';
import { type ResponseErrorContext, responseFailedError, responseIncompleteError } from '../errors/response-error.ts';
import { rateLimitsFromEvent } from './rate-limits.ts';
import { hasHeaderInEvent, headerInEvent, serverModelInEvent } from './server-headers.ts';
import { parseUsage } from './usage.ts';
import type { DecodeOutcome, WireDecoder } from './wire-decoder.ts';

/** Known, and said better by another event. */
const REDUNDANT: ReadonlySet<string> = new Set([
  'response.function_call_arguments.delta',
  'response.function_call_arguments.done',
  'response.custom_tool_call_input.done',
  'response.reasoning_summary_part.done',
]);

/** Events that bring headers later than the response does. */
const METADATA: ReadonlySet<string> = new Set(['response.metadata', 'codex.response.metadata']);

/**
 * Wire events of one response to `ModelEvent`s, whichever dialect carried them. Deltas come first and
 * cost one object each: a long answer is hundreds of thousands of them.
 */
export class EventDecoder implements WireDecoder {
  readonly #failure: ResponseErrorContext;
  readonly #onRateLimits: ((snapshot: RateLimitSnapshot) => void) | undefined;
  #serverModel: string | undefined;

  constructor(options: {
    readonly requestId: string | undefined;
    /** Values that no error may repeat. Default: none. */
    readonly secrets?: readonly string[];
    /** As in `HttpErrorContext`. */
    readonly inputIndex?: ((named: number) => number | undefined) | undefined;
    readonly serverModel: string | undefined;
    readonly onRateLimits?: (snapshot: RateLimitSnapshot) => void;
  }) {
    const { requestId, secrets = [], inputIndex } = options;
    this.#failure = { requestId, secrets, inputIndex };
    this.#serverModel = options.serverModel;
    this.#onRateLimits = options.onRateLimits;
  }

  /** Appends to `into`. Throws ModelError for `response.failed`, `response.incomplete` and a broken completion. */
  decode(type: string, raw: JsonObject, into: ModelEvent[]): DecodeOutcome {
    if (type === 'response.output_text.delta') {
      const delta = raw['delta'];
      if (typeof delta !== 'string') return 'skipped';
      if (raw['headers'] !== undefined) this.#noteServerModel(raw, into);
      into.push({ kind: 'text-delta', itemId: stringAt(raw, 'item_id'), delta });
      return 'decoded';
    }
    this.#noteServerModel(raw, into);
    if (type === 'response.completed') {
      into.push(this.#completed(raw));
      return 'completed';
    }
    if (REDUNDANT.has(type)) return 'decoded';
    if (METADATA.has(type)) {
      const headers = objectAt(raw, 'headers');
      if (headers !== undefined && hasHeaderInEvent(headers, 'x-reasoning-included')) {
        into.push({ kind: 'server-reasoning-included' });
      }
    }
    const event = this.#decodeOther(type, raw);
    if (event === undefined) return 'skipped';
    into.push(event);
    return 'decoded';
  }

  #decodeOther(type: string, raw: JsonObject): ModelEvent | undefined {
    switch (type) {
      case 'response.created': {
        const response = objectAt(raw, 'response');
        return response && { kind: 'response-start', responseId: stringAt(response, 'id') };
      }
      case 'response.output_item.added': {
        const item = parseResponseItem(raw['item']);
        return item && { kind: 'item-start', item };
      }
      case 'response.output_item.done': {
        const item = parseResponseItem(raw['item']);
        return item && { kind: 'item-end', item };
      }
      case 'response.failed':
        throw responseFailedError(raw, this.#failure);
      case 'response.incomplete':
        throw responseIncompleteError(raw, this.#failure);
      case 'codex.rate_limits': {
        const snapshot = rateLimitsFromEvent(raw);
        if (snapshot !== undefined) this.#onRateLimits?.(snapshot);
        return snapshot && { kind: 'rate-limits', snapshot };
      }
      case 'codex.response.metadata': {
        const headers = objectAt(raw, 'headers');
        const etag = headers && headerInEvent(headers, 'x-models-etag');
        return etag === undefined ? { kind: 'unknown', type, raw } : { kind: 'models-etag', etag };
      }
      default:
        return decodeDelta(type, raw);
    }
  }

  #completed(raw: JsonObject): ModelEvent {
    const response = objectAt(raw, 'response');
    const responseId = response === undefined ? undefined : stringAt(response, 'id');
    if (response === undefined || responseId === undefined) {
      throw new ModelError('stream-protocol', 'response.completed came without a response id', {
        retryable: true,
        requestId: this.#failure.requestId,
      });
    }
    const endTurn = response['end_turn'];
    return {
      kind: 'response-end',
      responseId,
      usage: parseUsage(response['usage']),
      endTurn: typeof endTurn === 'boolean' ? endTurn : undefined,
    };
  }

  #noteServerModel(raw: JsonObject, into: ModelEvent[]): void {
    const model = serverModelInEvent(raw);
    if (model === undefined || model === this.#serverModel) return;
    this.#serverModel = model;
    into.push({ kind: 'server-model', model });
  }
}

function decodeDelta(type: string, raw: JsonObject): ModelEvent | undefined {
  const itemId = stringAt(raw, 'item_id');
  const delta = stringAt(raw, 'delta');
  const summaryIndex = indexAt(raw, 'summary_index');
  switch (type) {
    case 'response.reasoning_summary_text.delta':
      if (delta === undefined || summaryIndex === undefined) return undefined;
      return { kind: 'reasoning-summary-delta', itemId, delta, summaryIndex };
    case 'response.reasoning_summary_part.added':
      return summaryIndex === undefined ? undefined : { kind: 'reasoning-summary-part-start', itemId, summaryIndex };
    case 'response.reasoning_summary_text.done': {
      const text = stringAt(raw, 'text');
      if (itemId === undefined || text === undefined || summaryIndex === undefined) return undefined;
      return { kind: 'reasoning-summary-end', itemId, text, summaryIndex };
    }
    case 'response.reasoning_text.delta': {
      const contentIndex = indexAt(raw, 'content_index');
      if (delta === undefined || contentIndex === undefined) return undefined;
      return { kind: 'reasoning-content-delta', itemId, delta, contentIndex };
    }
    case 'response.custom_tool_call_input.delta': {
      const id = itemId ?? stringAt(raw, 'call_id');
      return delta === undefined || id === undefined ? undefined : { kind: 'tool-input-delta', itemId: id, delta };
    }
    default:
      return { kind: 'unknown', type, raw };
  }
}

function indexAt(raw: JsonObject, key: string): number | undefined {
  const value = raw[key];
  return Number.isInteger(value) ? (value as number) : undefined;
}
