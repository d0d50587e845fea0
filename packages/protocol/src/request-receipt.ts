import type { ModelErrorCode } from './model-error.ts';
import type { TokenUsage } from './token-usage.ts';

export type ModelTransport = 'http' | 'websocket';

/** One try to get an answer. The last one of a receipt is the one that brought it, or the final failure. */
export interface AttemptReceipt {
  readonly transport: ModelTransport;
  readonly durationMs: number;
  /** Why it failed; absent for the one that succeeded. */
  readonly cause: { readonly code: ModelErrorCode; readonly message: string; readonly httpStatus?: number } | undefined;
}

/** Tokens in buckets that do not overlap: their sum is input plus output. */
export interface TokenBuckets {
  readonly freshInput: number;
  readonly cacheRead: number;
  /** Absent: the server does not tell. It is then part of `freshInput`. */
  readonly cacheWrite: number | undefined;
  readonly visibleOutput: number;
  readonly reasoning: number;
}

/** What one sampling request cost and how it went. */
export interface RequestReceipt {
  readonly outcome: 'completed' | 'failed';
  readonly transport: ModelTransport;
  /** All tries of this request, in order. */
  readonly attempts: readonly AttemptReceipt[];
  /** Of the last attempt, as is what follows. */
  readonly reusedConnection: boolean;
  /** Only what was new was sent, after `previous_response_id`. */
  readonly incremental: boolean;
  /** Bytes of all attempts, as far as they got a connection and what it carried is known; inside TLS, where there is TLS. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** From sending to the first piece of output. */
  readonly firstTokenMs: number | undefined;
  readonly durationMs: number;
  readonly tokens: TokenBuckets | undefined;
}

/** Splits a usage report. Counts that contradict each other are cut, so that the sum stays input plus output. */
export function tokenBuckets(usage: TokenUsage): TokenBuckets {
  const cacheRead = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const rest = usage.inputTokens - cacheRead;
  const cacheWrite =
    usage.cacheWriteInputTokens === undefined ? undefined : Math.min(usage.cacheWriteInputTokens, rest);
  const reasoning = Math.min(usage.reasoningOutputTokens, usage.outputTokens);
  return {
    freshInput: rest - (cacheWrite ?? 0),
    cacheRead,
    cacheWrite,
    visibleOutput: usage.outputTokens - reasoning,
    reasoning,
  };
}
