/** Tokens of one response, or a sum of several. Cached tokens are part of the input, reasoning of the output. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  /** Input that was written to the cache, part of the input that is not cached. Absent: not told. */
  readonly cacheWriteInputTokens?: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
  readonly totalTokens: number;
}

export const ZERO_USAGE: TokenUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
  totalTokens: 0,
};

export function addUsage(left: TokenUsage, right: TokenUsage): TokenUsage {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    cachedInputTokens: left.cachedInputTokens + right.cachedInputTokens,
    ...addedWrites(left.cacheWriteInputTokens, right.cacheWriteInputTokens),
    outputTokens: left.outputTokens + right.outputTokens,
    reasoningOutputTokens: left.reasoningOutputTokens + right.reasoningOutputTokens,
    totalTokens: left.totalTokens + right.totalTokens,
  };
}

/** What some responses do not tell counts as nothing as soon as one tells it. */
function addedWrites(left: number | undefined, right: number | undefined): Pick<TokenUsage, 'cacheWriteInputTokens'> {
  return left === undefined && right === undefined ? {} : { cacheWriteInputTokens: (left ?? 0) + (right ?? 0) };
}

/** What people are shown as "tokens used": fresh input and all output. */
export function blendedTotal(usage: TokenUsage): number {
  return Math.max(0, usage.inputTokens - usage.cachedInputTokens) + usage.outputTokens;
}
