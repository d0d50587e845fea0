import { addUsage, type ThreadTokenUsage, type TokenUsage, ZERO_USAGE } from '@quire/protocol';

/** Sums the tokens of a thread. */
export class UsageMeter {
  #current: ThreadTokenUsage | undefined;
  readonly #contextWindow: number | undefined;

  /** @param seed the count of an earlier part of the thread */
  constructor(seed: ThreadTokenUsage | undefined, contextWindow: number | undefined) {
    this.#current = seed;
    this.#contextWindow = contextWindow;
  }

  /** `undefined` until a response reported its usage. */
  get current(): ThreadTokenUsage | undefined {
    return this.#current;
  }

  /** Counts the window as full. `false`: its size is not known. */
  fill(): boolean {
    if (this.#contextWindow === undefined) return false;
    const last = { ...ZERO_USAGE, totalTokens: this.#contextWindow };
    this.#current = { total: this.#current?.total ?? ZERO_USAGE, last, contextWindow: this.#contextWindow };
    return true;
  }

  add(usage: TokenUsage): ThreadTokenUsage {
    this.#current = {
      total: addUsage(this.#current?.total ?? ZERO_USAGE, usage),
      last: usage,
      contextWindow: this.#contextWindow,
    };
    return this.#current;
  }
}
