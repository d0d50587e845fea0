import type { TokenUsage } from '@quire/protocol';

/** What a tree of agents may use up together. One for the whole tree. */
export interface RequestBudget {
  /**
   * Asked right before each request. `undefined`: it may be made, and counts. Else why not: one line for a person and
   * the model.
   */
  refusal(): string | undefined;
  /** Called after each request that told its usage. */
  spend(usage: TokenUsage): void;
}
