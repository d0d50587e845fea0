import type { ResponseItem, TruncationPolicy } from '@quire/protocol';
import { isToolOutput, normalizeHistory } from './normalize-history.ts';
import { scalePolicy, truncateToolOutput } from './truncate-output.ts';

/**
 * Outputs were already cut to the policy by their tool; what is recorded gets this much more room, so
 * that nothing is cut twice. Source: the peer's factor.
 */
const RECORDING_SLACK = 1.2;

/** What the model has seen and said in one thread, oldest first. Items are immutable; the list grows. */
export class History {
  #items: ResponseItem[];

  constructor(items: readonly ResponseItem[] = []) {
    this.#items = [...items];
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
  }

  /** The items for a request: a repaired view of the history, which itself stays as it is. */
  forPrompt(options: { readonly acceptsImages: boolean }): readonly ResponseItem[] {
    // A copy: the request must not see items that are recorded while it is under way.
    return [...normalizeHistory(this.#items, options)];
  }
}
