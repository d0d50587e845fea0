import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';
import { isCompactionTrigger } from '../compact/is-compaction-trigger.ts';
import { isImage, partsField, partsOf } from '../context-tags.ts';
import type { RecordedRequest } from '../recorded-request.ts';
import { differenceOf } from './json-difference.ts';

/** Says that this request may differ from the one before in its thread, as after a rollback. */
export type AllowRewrite = (previous: RecordedRequest, current: RecordedRequest) => boolean;

export interface ThreadHistoryOptions {
  readonly allowRewrite: AllowRewrite | undefined;
  /** Items that the server put into a history by itself; clients send them with fewer fields. */
  readonly served: WeakSet<JsonObject>;
  /** A request without tools is a summary in the making: behind it the history may be another. */
  readonly expectLocalCompactions: boolean;
  /** Slugs of models for which images are sent as text. */
  readonly textOnlyModels: ReadonlySet<string>;
}

/** What the next request of a thread is compared with. */
interface ThreadState {
  readonly latest: RecordedRequest;
  /** The latest one that was no local compaction: it has the thread's tools. */
  readonly latestOfTurn: RecordedRequest;
  /** The history may be another: it was compacted, or a test said so. */
  mayRewrite: boolean;
  /** Items that were refused since: only they may change. */
  readonly refused: JsonObject[];
}

/** How messages call a request. */
export function nameOf(request: Pick<RecordedRequest, 'index' | 'body'>): string {
  return `${isPrewarm(request) ? 'prewarm' : 'request'} ${request.index}`;
}

/** Names the thread of a request: `prompt_cache_key`, else the session header of either spelling. */
function threadKeyOf(request: Pick<RecordedRequest, 'headers' | 'body'>): string | undefined {
  const { headers } = request;
  const header = headers['session-id'] ?? headers['session_id'] ?? headers['conversation_id'];
  return stringAt(request.body, 'prompt_cache_key') ?? (typeof header === 'string' ? header : undefined);
}

/** Within a thread the input only grows, and instructions and tools stay. Remembers one request per thread. */
export class ThreadHistory {
  readonly #threads: Map<string, ThreadState> = new Map();
  readonly #options: ThreadHistoryOptions;
  #mayRewriteNext = false;

  constructor(options: ThreadHistoryOptions) {
    this.#options = options;
  }

  /** The thread of this compaction may go on with another history. */
  noteCompaction(request: Pick<RecordedRequest, 'headers' | 'body'>): void {
    const thread = this.#threadOf(request);
    if (thread !== undefined) thread.mayRewrite = true;
  }

  /** The thread of `request` may go on with something else in the place of `item`, and with its call or output. */
  noteRefusal(request: Pick<RecordedRequest, 'headers' | 'body'>, item: JsonObject): void {
    this.#threadOf(request)?.refused.push(item);
  }

  /** The next request of the thread, or the next one at all, may come with another history. */
  allowRewriteOnce(threadKey: string | undefined): void {
    if (threadKey === undefined) this.#mayRewriteNext = true;
    else {
      const thread = this.#threads.get(threadKey);
      if (thread !== undefined) thread.mayRewrite = true;
    }
  }

  check(request: RecordedRequest): readonly string[] {
    if (threadKeyOf(request) === undefined) {
      return ['nothing names the thread: send prompt_cache_key or the session id header'];
    }
    const thread = this.#threadOf(request);
    if (thread === undefined || this.#options.allowRewrite?.(thread.latest, request) === true) return [];
    return [...this.#checkFrame(thread.latestOfTurn, request), ...this.#checkGrowth(thread, request)];
  }

  /** Makes `request` the one that the next of its thread is compared with. */
  accept(request: RecordedRequest): void {
    const key = threadKeyOf(request);
    if (key === undefined) return;
    const known = this.#threads.get(key);
    if (known !== undefined && isWithoutInput(request)) return;
    const latestOfTurn = known !== undefined && this.#isLocalCompaction(request) ? known.latestOfTurn : request;
    this.#threads.set(key, { latest: request, latestOfTurn, mayRewrite: false, refused: [] });
    this.#mayRewriteNext = false;
  }

  #threadOf(request: Pick<RecordedRequest, 'headers' | 'body'>): ThreadState | undefined {
    const key = threadKeyOf(request);
    return key === undefined ? undefined : this.#threads.get(key);
  }

  /** The instructions stay for good; tools follow the model, and a local compaction has none. */
  #checkFrame(previous: RecordedRequest, request: RecordedRequest): readonly string[] {
    const mayHaveOtherTools = previous.body['model'] !== request.body['model'] || this.#isLocalCompaction(request);
    return (mayHaveOtherTools ? ['instructions'] : ['instructions', 'tools']).flatMap((name) => {
      const path = differenceOf(previous.body[name], request.body[name]);
      return path === undefined ? [] : [`${name}${path} differ from ${nameOf(previous)} of the same thread`];
    });
  }

  #checkGrowth(thread: ThreadState, request: RecordedRequest): readonly string[] {
    const { latest } = thread;
    if (isWithoutInput(request) || thread.mayRewrite || this.#mayRewriteNext) return [];
    if (this.#isLocalCompaction(latest)) return [];
    const history = isCompactionTrigger(latest) ? latest.input.slice(0, -1) : latest.input;
    const difference = this.#differenceBetween(latest, request);
    let place = 0;
    for (const [index, item] of history.entries()) {
      const current = request.input[place];
      const path = current === undefined ? '' : difference(item, current);
      if (current !== undefined && path === undefined) place += 1;
      else if (isRefused(item, thread.refused)) {
        // Another item in its place, or none.
        const next = history.slice(index + 1).find((entry) => !isRefused(entry, thread.refused));
        const wasTakenOut = current === undefined || (next !== undefined && difference(next, current) === undefined);
        if (!wasTakenOut) place += 1;
      } else {
        const origin = place === index ? nameOf(latest) : `input[${index}] of ${nameOf(latest)}`;
        const what = current === undefined ? 'is missing, it was in' : 'differs from';
        return [`the history was rewritten: input[${place}]${path ?? ''} ${what} ${origin}`];
      }
    }
    return [];
  }

  #differenceBetween(
    previous: RecordedRequest,
    request: RecordedRequest,
  ): (left: JsonObject, right: JsonObject) => string | undefined {
    const { served, textOnlyModels } = this.#options;
    const models = [previous, request].map(({ body }) => stringAt(body, 'model') ?? '');
    const changesImages = models[0] !== models[1] && models.some((model) => textOnlyModels.has(model));
    return (left, right) => {
      if (left === right) return undefined;
      const [one, other] = changesImages ? withoutImages(left, right) : [left, right];
      return served.has(left) || served.has(right)
        ? differenceOf(essenceOf(one), essenceOf(other))
        : differenceOf(one, other);
    };
  }

  #isLocalCompaction(request: RecordedRequest): boolean {
    const { tools } = request.body;
    const hasTools = Array.isArray(tools) && tools.length > 0;
    return this.#options.expectLocalCompactions && !hasTools && !isPrewarm(request);
  }
}

function isPrewarm(request: Pick<RecordedRequest, 'body'>): boolean {
  return request.body['generate'] === false;
}

/** A prewarm that brings only instructions and tools says nothing about the history. */
function isWithoutInput(request: RecordedRequest): boolean {
  return isPrewarm(request) && request.input.length === 0;
}

function isRefused(item: JsonObject, refused: readonly JsonObject[]): boolean {
  return refused.some((entry) => {
    const callId = entry['call_id'];
    return (callId !== undefined && callId === item['call_id']) || differenceOf(entry, item) === undefined;
  });
}

/** Both items with what may stand for an image in the place of every image that the other does not have. */
function withoutImages(left: JsonObject, right: JsonObject): readonly [JsonObject, JsonObject] {
  const others = partsOf(right);
  const parts = partsOf(left);
  if (parts.length === 0 || parts.length !== others.length) return [left, right];
  const isImageAt = parts.map((part, index) => [part, others[index]].some(isImage));
  const mask = (item: JsonObject): JsonObject => ({
    ...item,
    [partsField(item)]: partsOf(item).map((part, index) =>
      isImageAt[index] === true && (isImage(part) || isText(part)) ? null : part,
    ),
  });
  return [mask(left), mask(right)];
}

function isText(part: JsonValue): boolean {
  return isJsonObject(part) && part['type'] === 'input_text';
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
