import { addUsage, type ResponseItem, type ThreadTokenUsage, type TokenUsage, ZERO_USAGE } from '@quire/protocol';
import { isUserTurnBoundary } from '../context/fragments.ts';
import {
  estimateItemTokens,
  estimateTextTokens,
  estimateTokens,
  isEncryptedReasoning,
} from '../history/estimate-tokens.ts';

/** Part of the window that is taken by every request and not counted against it, in tokens. Source: the peer. */
const BASELINE_TOKENS = 12_000;

/**
 * Where the last usage comes from. `server`: it was counted there. `estimate`: it was made here, and is made anew for
 * each question. `full`: the server refused the conversation as too long. `none`: nothing is known.
 */
type Basis = 'none' | 'server' | 'estimate' | 'full';

/** Sums the tokens of a thread and tells how much of the window its history takes. */
export class UsageMeter {
  #current: ThreadTokenUsage | undefined;
  #contextWindow: number | undefined;
  #basis: Basis;
  #serverCountsReasoning = false;

  /**
   * @param seed the count of an earlier part of the thread
   * @param contextWindow effective size of the window, in tokens; absent: not known
   */
  constructor(seed: ThreadTokenUsage | undefined, contextWindow?: number) {
    this.#current = seed;
    this.#contextWindow = contextWindow ?? seed?.contextWindow;
    this.#basis = basisOf(seed);
  }

  /** `undefined` until a response reported its usage. */
  get current(): ThreadTokenUsage | undefined {
    return this.#current;
  }

  /** The model was chosen or changed; what was counted stays. `undefined`: the size is not known. */
  setContextWindow(contextWindow: number | undefined): void {
    this.#contextWindow = contextWindow;
    if (this.#current !== undefined) this.#current = { ...this.#current, contextWindow };
  }

  /** The server said that its totals hold earlier encrypted reasoning, too. */
  noteReasoningIncluded(): void {
    this.#serverCountsReasoning = true;
  }

  /** Counts the window as full. `false`: its size is not known. */
  fill(): boolean {
    if (this.#contextWindow === undefined) return false;
    this.#setLast({ ...ZERO_USAGE, totalTokens: this.#contextWindow }, 'full');
    return true;
  }

  /** What a request for the conversation used. */
  add(usage: TokenUsage): ThreadTokenUsage {
    this.addOnly(usage);
    return this.#setLast(usage, 'server');
  }

  /** What a request beside the conversation used, such as one for a compaction: spent, but no measure of the history. */
  addOnly(usage: TokenUsage): void {
    const { total, last } = this.#current ?? { total: ZERO_USAGE, last: ZERO_USAGE };
    this.#current = { total: addUsage(total, usage), last, contextWindow: this.#contextWindow };
  }

  /**
   * Forgets what the server counted, because the history was rewritten: until the next answer, the estimate of
   * `items` stands for it. Gives back that estimate, in tokens.
   */
  estimateInstead(items: readonly ResponseItem[], baseInstructions: string): number {
    const totalTokens = estimateTextTokens(baseInstructions) + estimateTokens(items);
    this.#setLast({ ...ZERO_USAGE, totalTokens }, 'estimate');
    return totalTokens;
  }

  /**
   * Tokens that the history takes of the window: what the server counted last, what it has not seen yet, and earlier
   * encrypted reasoning, which its totals leave out unless it said otherwise. All of it is estimated as long as
   * the server counted nothing of it. Linear in the items, each of which is measured once.
   */
  activeTokens(items: readonly ResponseItem[], baseInstructions: string): number {
    const lastTotal = this.#current?.last.totalTokens ?? 0;
    const lastGenerated = items.findLastIndex(isModelGenerated);
    if (this.#basis === 'full') return lastTotal;
    if (this.#basis !== 'server' || lastGenerated === -1) {
      return estimateTextTokens(baseInstructions) + estimateTokens(items);
    }
    return lastTotal + estimateTokens(items.slice(lastGenerated + 1)) + this.#uncountedReasoning(items);
  }

  /** How much of the window is left, in whole percent. `undefined`: its size is not known. */
  percentLeft(): number | undefined {
    const window = this.#contextWindow;
    if (window === undefined) return undefined;
    if (window <= BASELINE_TOKENS) return 0;
    const usable = window - BASELINE_TOKENS;
    const used = Math.max(0, (this.#current?.last.totalTokens ?? 0) - BASELINE_TOKENS);
    return Math.round((100 * Math.max(0, usable - used)) / usable);
  }

  #uncountedReasoning(items: readonly ResponseItem[]): number {
    if (this.#serverCountsReasoning) return 0;
    const end = items.findLastIndex(isUserTurnBoundary);
    let tokens = 0;
    for (let index = 0; index < end; index += 1) {
      const item = items[index];
      if (item !== undefined && isEncryptedReasoning(item)) tokens += estimateItemTokens(item);
    }
    return tokens;
  }

  #setLast(last: TokenUsage, basis: Basis): ThreadTokenUsage {
    this.#basis = basis;
    this.#current = { total: this.#current?.total ?? ZERO_USAGE, last, contextWindow: this.#contextWindow };
    return this.#current;
  }
}

/** A count without input and output was not made by a server: it is an estimate, or says that the window is full. */
function basisOf(seed: ThreadTokenUsage | undefined): Basis {
  if (seed === undefined) return 'none';
  const { last, contextWindow } = seed;
  if (last.inputTokens > 0 || last.outputTokens > 0) return 'server';
  return contextWindow !== undefined && last.totalTokens >= contextWindow ? 'full' : 'estimate';
}

/** Whether the server made the item, and so counted it. Of kinds not known here, mail of other agents and outputs are not. */
function isModelGenerated(item: ResponseItem): boolean {
  switch (item.type) {
    case 'message':
      return item.role === 'assistant';
    case 'function_call_output':
    case 'custom_tool_call_output':
    case 'ghost_snapshot':
    case 'compaction_trigger':
      return false;
    case 'tool_search_output':
      return item.execution === 'server';
    case 'unknown':
      return item.raw['type'] !== 'agent_message' && !String(item.raw['type']).endsWith('_output');
    default:
      return true;
  }
}
