import type { ResponseItem, ToolCallItem, TruncationPolicy } from '@quire/protocol';
import { isOpenCall } from './call-pairs.ts';
import { sourceOf } from './derived-item.ts';
import { BYTES_PER_TOKEN } from './estimate-tokens.ts';
import { isToolOutput, normalizeHistory, type PromptItems, type PromptOptions } from './normalize-history.ts';
import { scalePolicy, truncateToolOutput } from './truncate-output.ts';

/**
 * Outputs were already cut to the policy by their tool; what is recorded gets this much more room, so
 * that nothing is cut twice. Source: the peer's factor.
 */
const RECORDING_SLACK = 1.2;
/** And at least this much: what a tool writes around an output does not shrink with the policy. Tokens. */
const LEAST_SLACK_TOKENS = 64;

/** What the model has seen and said in one thread, oldest first. Items are immutable; the list grows. */
export class History {
  #items: ResponseItem[];
  #version = 0;
  readonly #callIds = new Set<string>();

  constructor(items: readonly ResponseItem[] = []) {
    this.#items = [...items];
    for (const item of items) this.#noteCall(item);
  }

  get items(): readonly ResponseItem[] {
    return this.#items;
  }

  /** Grows whenever what was recorded changes: compaction, rollback, quarantine. Appending leaves it as it is. */
  get version(): number {
    return this.#version;
  }

  /** The item as it will be stored: tool outputs are cut to the policy. Nothing is added yet. */
  static prepare(item: ResponseItem, policy: TruncationPolicy): ResponseItem {
    if (!isToolOutput(item)) return item;
    return { ...item, output: truncateToolOutput(item.output, recordingPolicy(policy)) };
  }

  /** Adds an item as `prepare` gave it. */
  append(prepared: ResponseItem): void {
    this.#items.push(prepared);
    this.#noteCall(prepared);
  }

  /**
   * The call under an id that no earlier call has. Some servers begin to count anew with each response, and
   * two calls of one id can not both be answered.
   */
  withUniqueCallId<Call extends ToolCallItem>(call: Call): Call & { readonly call_id: string } {
    const wanted = call.call_id ?? call.id ?? 'call';
    let callId = wanted;
    for (let copy = 2; this.#callIds.has(callId); copy += 1) callId = `${wanted}-${copy}`;
    return { ...call, call_id: callId };
  }

  /** Puts `items` in the place of everything. Call ids of before stay taken. */
  replace(items: readonly ResponseItem[]): void {
    this.#items = [...items];
    for (const item of items) this.#noteCall(item);
    this.#version += 1;
  }

  /** Puts `replacement` in the place of the item at `index`, or takes the item out. */
  rewrite(index: number, replacement: ResponseItem | undefined): void {
    if (this.#items[index] === undefined) throw new RangeError(`history has no item ${index}`);
    this.replace(this.#items.toSpliced(index, 1, ...(replacement === undefined ? [] : [replacement])));
  }

  /**
   * The place in the history of what an item of a request stands for, also when the request held a changed form of
   * it or an answer made for it. `undefined`: it is not, or no longer, part of the history.
   */
  indexOf(promptItem: ResponseItem): number | undefined {
    const index = this.#items.lastIndexOf(sourceOf(promptItem));
    return index === -1 ? undefined : index;
  }

  /** The items for a request: a repaired view of the history, which itself stays as it is. */
  forPrompt(options: PromptOptions): PromptItems {
    // A copy: the request must not see items that are recorded while it is under way.
    return normalizeHistory([...this.#items], options);
  }

  #noteCall(item: ResponseItem): void {
    if (isOpenCall(item)) this.#callIds.add(item.call_id);
  }
}

function recordingPolicy(policy: TruncationPolicy): TruncationPolicy {
  const least = policy.mode === 'tokens' ? LEAST_SLACK_TOKENS : LEAST_SLACK_TOKENS * BYTES_PER_TOKEN;
  return { mode: policy.mode, limit: Math.max(scalePolicy(policy, RECORDING_SLACK).limit, policy.limit + least) };
}

export { withoutLastUserTurns, withoutOldest } from './cut-history.ts';
