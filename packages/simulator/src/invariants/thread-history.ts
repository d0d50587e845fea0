import { isJsonObject, type JsonValue, stringAt } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';

/** Says that this request may differ from the one before in its thread, as after a compaction. */
export type AllowRewrite = (previous: RecordedRequest, current: RecordedRequest) => boolean;

/** Names the thread of a request: `prompt_cache_key`, else the session header of either spelling. */
function threadKeyOf(request: RecordedRequest): string | undefined {
  const header = request.headers['session-id'] ?? request.headers['session_id'];
  return stringAt(request.body, 'prompt_cache_key') ?? (typeof header === 'string' ? header : undefined);
}

/** Within a thread the input only grows, and instructions and tools stay. Remembers one request per thread. */
export class ThreadHistory {
  readonly #latest: Map<string, RecordedRequest> = new Map();
  readonly #allowRewrite: AllowRewrite;

  constructor(options: { readonly allowRewrite: AllowRewrite | undefined }) {
    this.#allowRewrite = options.allowRewrite ?? (() => false);
  }

  check(request: RecordedRequest): readonly string[] {
    const key = threadKeyOf(request);
    if (key === undefined) return ['nothing names the thread: send prompt_cache_key or the session id header'];
    const previous = this.#latest.get(key);
    if (previous === undefined || this.#allowRewrite(previous, request)) return [];
    const problems = ['instructions', 'tools']
      .filter((name) => !isSameJson(previous.body[name], request.body[name]))
      .map((name) => `${name} differ from request ${previous.index} of the same thread`);
    const changed = previous.input.findIndex((item, index) => !isSameJson(item, request.input[index]));
    if (changed < 0) return problems;
    const what = changed < request.input.length ? 'differs from' : 'is missing, it was in';
    return [...problems, `the history was rewritten: input[${changed}] ${what} request ${previous.index}`];
  }

  /** Makes `request` the one that the next of its thread is compared with. */
  accept(request: RecordedRequest): void {
    const key = threadKeyOf(request);
    if (key !== undefined) this.#latest.set(key, request);
  }
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
