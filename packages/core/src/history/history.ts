import type { ResponseItem, ToolCallItem, TruncationPolicy } from '@quire/protocol';
import { isToolCall, isToolOutput, normalizeHistory } from './normalize-history.ts';
import { scalePolicy, truncateToolOutput } from './truncate-output.ts';

/**
 * Outputs were already cut to the policy by their tool; what is recorded gets this much more room, so
 * that nothing is cut twice. Source: the peer's factor.
 */
const RECORDING_SLACK = 1.2;

/** What the model has seen and said in one thread, oldest first. Items are immutable; the list grows. */
export class History {
  #items: ResponseItem[];
  readonly #callIds = new Set<string>();

  constructor(items: readonly ResponseItem[] = []) {
    this.#items = [...items];
    for (const item of items) this.#noteCall(item);
  }

  get items(): readonly ResponseItem[] {
    return this.#items;
  }

  /** The item as it will be stored: tool outputs are cut to the policy. Nothing is added yet. */
  static prepare(item: ResponseItem, policy: TruncationPolicy): ResponseItem {
    if (!isToolOutput(item)) return item;
    return { ...item, output: truncateToolOutput(item.output, scalePolicy(policy, RECORDING_SLACK)) };
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

  #noteCall(item: ResponseItem): void {
    if (isToolCall(item) && item.call_id !== undefined) this.#callIds.add(item.call_id);
  }

  /** The items for a request: a repaired view of the history, which itself stays as it is. */
  forPrompt(options: { readonly acceptsImages: boolean }): readonly ResponseItem[] {
    // A copy: the request must not see items that are recorded while it is under way.
    return [...normalizeHistory(this.#items, options)];
  }
}
