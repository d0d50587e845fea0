import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';

/** Says that this request may differ from the one before in its thread, as after a compaction. */
export type AllowRewrite = (previous: RecordedRequest, current: RecordedRequest) => boolean;

/** How messages call a request. */
export function nameOf(request: RecordedRequest): string {
  return `${request.body['generate'] === false ? 'prewarm' : 'request'} ${request.index}`;
}

/** Names the thread of a request: `prompt_cache_key`, else the session header of either spelling. */
function threadKeyOf(request: Pick<RecordedRequest, 'headers' | 'body'>): string | undefined {
  const { headers } = request;
  const header = headers['session-id'] ?? headers['session_id'] ?? headers['conversation_id'];
  return stringAt(request.body, 'prompt_cache_key') ?? (typeof header === 'string' ? header : undefined);
}

/** Within a thread the input only grows, and instructions and tools stay. Remembers one request per thread. */
export class ThreadHistory {
  readonly #latest: Map<string, RecordedRequest> = new Map();
  /** Threads whose history was compacted since their latest request. */
  readonly #compacted: Set<string> = new Set();
  readonly #allowRewrite: AllowRewrite;
  readonly #served: WeakSet<JsonObject>;

  /** @param options.served items that the server put into a history by itself; clients send them with fewer fields */
  constructor(options: { readonly allowRewrite: AllowRewrite | undefined; readonly served: WeakSet<JsonObject> }) {
    this.#allowRewrite = options.allowRewrite ?? (() => false);
    this.#served = options.served;
  }

  /** The thread of this compaction may go on with another history. */
  noteCompaction(request: Pick<RecordedRequest, 'headers' | 'body'>): void {
    const key = threadKeyOf(request);
    if (key !== undefined) this.#compacted.add(key);
  }

  check(request: RecordedRequest): readonly string[] {
    const key = threadKeyOf(request);
    if (key === undefined) return ['nothing names the thread: send prompt_cache_key or the session id header'];
    const previous = this.#latest.get(key);
    if (previous === undefined || this.#compacted.has(key) || endsInCompaction(previous)) return [];
    if (this.#allowRewrite(previous, request)) return [];
    const problems = ['instructions', 'tools']
      .filter((name) => !isSameJson(previous.body[name], request.body[name]))
      .map((name) => `${name} differ from ${nameOf(previous)} of the same thread`);
    const changed = previous.input.findIndex((item, index) => !this.#isSameItem(item, request.input[index]));
    if (changed < 0) return problems;
    const what = changed < request.input.length ? 'differs from' : 'is missing, it was in';
    return [...problems, `the history was rewritten: input[${changed}] ${what} ${nameOf(previous)}`];
  }

  /** Makes `request` the one that the next of its thread is compared with. */
  accept(request: RecordedRequest): void {
    const key = threadKeyOf(request);
    if (key === undefined) return;
    this.#latest.set(key, request);
    this.#compacted.delete(key);
  }

  #isSameItem(left: JsonObject, right: JsonObject | undefined): boolean {
    if (left === right) return true;
    if (right === undefined) return false;
    if (!this.#served.has(left) && !this.#served.has(right)) return isSameJson(left, right);
    return isSameJson(essenceOf(left), essenceOf(right));
  }
}

/** A compaction over the stream of a turn: what follows starts a new history. */
function endsInCompaction(request: RecordedRequest): boolean {
  return request.input.at(-1)?.['type'] === 'compaction_trigger';
}

/** Fields that a client may leave out or fill in when it sends back what it was served. */
const INCIDENTAL: ReadonlySet<string> = new Set([
  'id',
  'status',
  'phase',
  'internal_chat_message_metadata_passthrough',
]);

/** What an item says, in one order of keys: the sender of a served item is not its author. */
function essenceOf(item: JsonObject): JsonObject {
  const kept = Object.entries(item).filter(([name, value]) => !INCIDENTAL.has(name) && value !== null);
  return Object.fromEntries(kept.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Equal values with object keys in the same order: what a prompt cache takes for the same text. */
function isSameJson(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((entry, index) => isSameJson(entry, right[index]));
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const leftKeys = Object.keys(left);
  const rightKeys = Object.keys(right);
  return (
    leftKeys.length === rightKeys.length &&
    leftKeys.every((key, index) => key === rightKeys[index] && isSameJson(left[key], right[key]))
  );
}
