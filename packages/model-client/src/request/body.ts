import type { ModelRequest } from '@quire/core';
import { type JsonObject, type ResponseItem, responseItemToJson, type ToolSpec } from '@quire/protocol';
import type { HostTraits } from './host-traits.ts';
import { InputBytes } from './input-bytes.ts';

/** Items whose id a host may want back. */
const ITEMS_WITH_ID: ReadonlySet<string> = new Set([
  'reasoning',
  'message',
  'web_search_call',
  'function_call',
  'local_shell_call',
  'custom_tool_call',
]);

/** The JSON of a request around its input, without braces. */
export interface RequestFields {
  readonly before: string;
  readonly after: string;
}

/**
 * Writes request bodies for one thread.
 *
 * Items and tools are immutable, so their JSON is made once: request n of a tool loop writes only what is new, and
 * what was sent before is byte for byte the same. It is kept as UTF-8 bytes, not as text: joining and encoding 4 MiB of
 * text again for every request took 37 ms, copying the bytes takes 6.
 */
export class BodyEncoder {
  readonly #threadId: string;
  readonly #traits: HostTraits;
  readonly #items: InputBytes;
  readonly #tools = new WeakMap<ToolSpec, string>();
  #instructions: { readonly text: string; readonly json: string } = { text: '', json: '""' };

  constructor(options: { readonly threadId: string; readonly traits: HostTraits }) {
    this.#threadId = options.threadId;
    this.#traits = options.traits;
    this.#items = new InputBytes((item) => this.#wireItem(item));
  }

  /** The body of `POST …/responses`. Fields and their order: docs/model-requests.md. */
  encode(request: ModelRequest): Buffer {
    const { before, after } = this.fields(request);
    return join(`{${before},`, this.#items.of(request.input), `${after}}`);
  }

  /** The body of `POST …/responses/compact`. Fields and their order: docs/model-requests.md. */
  encodeCompaction(request: ModelRequest): Buffer {
    const { reasoning } = request;
    const fields = [
      ...this.#toolFields(request),
      ...(reasoning === undefined ? [] : [`"reasoning":${reasoningJson(reasoning)}`]),
      ...this.#lastFields(request),
    ];
    return join(`{${this.#fieldsBeforeInput(request)},`, this.#items.ofPart(request.input), `${fields.join(',')}}`);
  }

  /**
   * A `response.create` frame, made of the result of `fields()` and of `input`, which is all of the
   * request's or the end of it. `extra` stands between: a JSON fragment with a comma behind, or nothing.
   */
  encodeFrame(fields: RequestFields, input: readonly ResponseItem[], extra: string): Buffer {
    return join(`{"type":"response.create",${fields.before},${extra}`, this.#items.ofPart(input), `${fields.after}}`);
  }

  /** Everything but the input. Equal texts mean that two requests differ in their input only. */
  fields(request: ModelRequest): RequestFields {
    return { before: this.#fieldsBeforeInput(request), after: this.#fieldsAfterInput(request) };
  }

  /** Whether two items are the same for the server: one object, or the same bytes. */
  sameItem(left: ResponseItem, right: ResponseItem): boolean {
    return left === right || JSON.stringify(this.#wireItem(left)) === JSON.stringify(this.#wireItem(right));
  }

  #fieldsBeforeInput(request: ModelRequest): string {
    return `"model":${JSON.stringify(request.model)},"instructions":${this.#instructionsJson(request.instructions)}`;
  }

  #fieldsAfterInput(request: ModelRequest): string {
    const { reasoning } = request;
    const [tools, parallelToolCalls] = this.#toolFields(request);
    return [
      tools,
      '"tool_choice":"auto"',
      parallelToolCalls,
      `"reasoning":${reasoning === undefined ? 'null' : reasoningJson(reasoning)}`,
      `"store":${this.#traits.storeItems}`,
      '"stream":true',
      `"include":${reasoning === undefined ? '[]' : '["reasoning.encrypted_content"]'}`,
      ...this.#lastFields(request),
    ].join(',');
  }

  #toolFields(request: ModelRequest): readonly [string, string] {
    const tools = request.tools.map((tool) => this.#toolJson(tool)).join(',');
    return [`"tools":[${tools}]`, `"parallel_tool_calls":${request.parallelToolCalls}`];
  }

  #lastFields(request: ModelRequest): readonly string[] {
    const { serviceTier } = request;
    const text = textJson(request);
    return [
      ...(serviceTier === undefined ? [] : [`"service_tier":${JSON.stringify(serviceTier)}`]),
      `"prompt_cache_key":${JSON.stringify(this.#threadId)}`,
      ...(text === undefined ? [] : [`"text":${text}`]),
    ];
  }

  #instructionsJson(text: string): string {
    if (this.#instructions.text !== text) this.#instructions = { text, json: JSON.stringify(text) };
    return this.#instructions.json;
  }

  #wireItem(item: ResponseItem): JsonObject {
    return wireItem(item, {
      keepId: item.type === 'unknown' || (this.#traits.itemIds && ITEMS_WITH_ID.has(item.type)),
    });
  }

  #toolJson(tool: ToolSpec): string {
    let json = this.#tools.get(tool);
    if (json === undefined) {
      json = JSON.stringify(tool);
      this.#tools.set(tool, json);
    }
    return json;
  }
}

function join(before: string, items: readonly Buffer[], after: string): Buffer {
  return Buffer.concat([Buffer.from(`${before}"input":[`), ...items, Buffer.from(`],${after}`)]);
}

function wireItem(item: ResponseItem, options: { readonly keepId: boolean }): JsonObject {
  const json = responseItemToJson(item);
  if (!('id' in json)) return json;
  const { id, ...rest } = json;
  if (options.keepId && typeof id === 'string' && id !== '') return { ...rest, id };
  return rest;
}

function reasoningJson(reasoning: NonNullable<ModelRequest['reasoning']>): string {
  const { effort, summary } = reasoning;
  return JSON.stringify({ effort, summary: summary === 'none' ? undefined : summary });
}

function textJson(request: ModelRequest): string | undefined {
  const { verbosity, outputSchema } = request;
  if (verbosity === undefined && outputSchema === undefined) return undefined;
  const format =
    outputSchema === undefined
      ? undefined
      : { type: 'json_schema', strict: true, schema: outputSchema, name: 'codex_output_schema' };
  return JSON.stringify({ verbosity, format });
}
