import { isJsonObject, type JsonObject, parseJsonObject, stringAt } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';
import type { EventPart, StreamPart } from '../script/step.ts';
import { TERMINAL_TYPES } from '../script/terminal-types.ts';

/** A response that a later request of the same connection may continue. */
export interface RememberedResponse {
  readonly request: RecordedRequest;
  /** The request's whole conversation and behind it what the response added. */
  readonly items: readonly JsonObject[];
}

/** What one connection knows of its responses: only those that completed can be continued. */
export class ResponseMemory {
  readonly #responses: Map<string, RememberedResponse> = new Map();
  /** Items the server made. A client may send them back with fewer fields. */
  readonly #served: WeakSet<JsonObject>;

  constructor(served: WeakSet<JsonObject>) {
    this.#served = served;
  }

  get(responseId: string): RememberedResponse | undefined {
    return this.#responses.get(responseId);
  }

  forget(): void {
    this.#responses.clear();
  }

  /**
   * Passes the parts of the answer to `request` on, reads along, and remembers the response when it completes.
   * @param options.onEnd called with the event that ends the response; must not throw
   */
  watch(
    request: RecordedRequest,
    parts: Iterable<StreamPart>,
    options: { readonly onEnd: () => void },
  ): Iterable<StreamPart> {
    const added: JsonObject[] = [];
    return readAlong(parts, (part) => {
      if (TERMINAL_TYPES.has(part.type)) options.onEnd();
      if (part.type === 'response.output_item.done') {
        const item = parseJsonObject(part.json)?.['item'];
        if (isJsonObject(item)) added.push(item);
      } else if (part.type === 'response.completed') this.#remember(request, part, added);
    });
  }

  #remember(request: RecordedRequest, part: EventPart, added: readonly JsonObject[]): void {
    const response = parseJsonObject(part.json)?.['response'];
    const id = isJsonObject(response) ? stringAt(response, 'id') : undefined;
    if (id === undefined) return;
    for (const item of added) this.#served.add(item);
    this.#responses.set(id, { request, items: [...request.input, ...added] });
  }
}

function* readAlong(parts: Iterable<StreamPart>, read: (part: EventPart) => void): Generator<StreamPart> {
  for (const part of parts) {
    if (part.kind === 'event') read(part);
    else if (part.kind === 'precomputed') part.events.forEach(read);
    yield part;
  }
}
