/** Time and randomness come from outside, so that a test owns them. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Resolves after `ms`, rejects with the abort reason when `signal` fires first. */
  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void>;
}

export interface Entropy {
  /** In [0, 1). */
  random(): number;
  /** A UUID version 7 string. */
  uuid(): string;
}
