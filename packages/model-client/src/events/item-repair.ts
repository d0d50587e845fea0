import {
  type FunctionCallItem,
  isJsonObject,
  type JsonObject,
  type ModelEvent,
  objectAt,
  parseResponseItem,
  type ResponseItem,
  stringAt,
} from '@quire/protocol';
import type { DecodeOutcome, WireDecoder } from './wire-decoder.ts';

/** An item that has begun, and what its deltas brought so far. */
interface OpenItem {
  readonly item: ResponseItem;
  text: string;
}

/**
 * Stands behind the decoder for hosts that leave out the events which say that an item is whole. At the
 * completion every item that is still open is ended: as the completion itself has it, else put together
 * from its deltas.
 */
export class RepairingDecoder implements WireDecoder {
  readonly #inner: WireDecoder;
  readonly #open = new Map<string, OpenItem>();
  /** The item that deltas without an id belong to. */
  #latest: string | undefined;
  readonly #ended = new Set<string>();

  constructor(inner: WireDecoder) {
    this.#inner = inner;
  }

  decode(type: string, raw: JsonObject, into: ModelEvent[]): DecodeOutcome {
    if (type === 'response.output_text.delta' || type === 'response.function_call_arguments.delta') {
      this.#grow(type, raw);
      return this.#inner.decode(type, raw, into);
    }
    if (type === 'response.function_call_arguments.done') this.#replaceText(raw, 'arguments');
    else if (type === 'response.output_text.done') this.#replaceText(raw, 'text');
    else if (type === 'response.completed') return this.#complete(raw, into);
    const before = into.length;
    const outcome = this.#inner.decode(type, raw, into);
    if (type === 'response.output_item.added' || type === 'response.output_item.done') this.#note(into, before);
    return outcome;
  }

  #note(events: readonly ModelEvent[], from: number): void {
    for (let index = from; index < events.length; index += 1) {
      const event = events[index];
      if (event?.kind !== 'item-start' && event?.kind !== 'item-end') continue;
      const id = idOf(event.item);
      if (event.kind === 'item-start' && id !== undefined) {
        this.#open.set(id, { item: event.item, text: '' });
        this.#latest = id;
      } else if (event.kind === 'item-end') {
        const ended = this.#openIdFor(event.item, id);
        if (ended !== undefined) this.#open.delete(ended);
        for (const known of [id, ended]) if (known !== undefined) this.#ended.add(known);
      }
    }
  }

  /** Some hosts name an item differently in each of its events: then it is the first open one of its type. */
  #openIdFor(item: ResponseItem, id: string | undefined): string | undefined {
    if (id !== undefined && this.#open.has(id)) return id;
    for (const [openId, open] of this.#open) if (open.item.type === item.type) return openId;
    return undefined;
  }

  #grow(type: string, raw: JsonObject): void {
    const delta = raw['delta'];
    const id = stringAt(raw, 'item_id') ?? this.#latest;
    if (typeof delta !== 'string' || id === undefined) return;
    let open = this.#open.get(id);
    if (open === undefined && this.#latest !== undefined) open = this.#open.get(this.#latest);
    if (open === undefined) {
      // A message may begin with its first delta; a call can not, its name is not known.
      if (type !== 'response.output_text.delta' || this.#ended.has(id)) return;
      open = { item: { type: 'message', id, role: 'assistant', content: [] }, text: '' };
      this.#open.set(id, open);
      this.#latest = id;
    }
    open.text += delta;
  }

  #replaceText(raw: JsonObject, key: string): void {
    const id = stringAt(raw, 'item_id') ?? this.#latest;
    const open = id === undefined ? undefined : this.#open.get(id);
    const text = stringAt(raw, key);
    if (open !== undefined && text !== undefined) open.text = text;
  }

  #complete(raw: JsonObject, into: ModelEvent[]): DecodeOutcome {
    // The inner decoder goes first: a broken completion must not bring items with it.
    const ending: ModelEvent[] = [];
    const outcome = this.#inner.decode('response.completed', raw, ending);
    if (outcome === 'completed' && this.#open.size > 0) {
      const whole = outputItems(raw);
      for (const [id, open] of this.#open) {
        const item = whole.get(id) ?? assembled(open);
        if (item !== undefined) into.push({ kind: 'item-end', item });
      }
      this.#open.clear();
    }
    into.push(...ending);
    return outcome;
  }
}

function outputItems(raw: JsonObject): Map<string, ResponseItem> {
  const items = new Map<string, ResponseItem>();
  const output = objectAt(raw, 'response')?.['output'];
  if (!Array.isArray(output)) return items;
  for (const element of output) {
    const item = isJsonObject(element) ? parseResponseItem(element) : undefined;
    const id = item === undefined ? undefined : idOf(item);
    if (item !== undefined && id !== undefined) items.set(id, item);
  }
  return items;
}

/** `undefined` when nothing of the item is known but that it began. */
function assembled({ item, text }: OpenItem): ResponseItem | undefined {
  if (item.type === 'message' && item.role === 'assistant') {
    if (text === '') return item.content.length > 0 ? item : undefined;
    return { ...item, content: [{ type: 'output_text', text }] };
  }
  if (item.type === 'function_call') return { ...item, arguments: argumentsOf(item, text) };
  return undefined;
}

function argumentsOf(call: FunctionCallItem, deltas: string): string {
  return deltas === '' ? call.arguments : deltas;
}

function idOf(item: ResponseItem): string | undefined {
  if (item.type === 'unknown') return stringAt(item.raw, 'id');
  return 'id' in item ? item.id : undefined;
}
