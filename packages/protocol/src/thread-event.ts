import type { ThreadId, TurnId } from './ids.ts';
import type { ModelErrorCode } from './model-error.ts';
import type { RateLimitSnapshot } from './rate-limits.ts';
import type { RequestReceipt } from './request-receipt.ts';
import type { TokenUsage } from './token-usage.ts';
import type { TurnItem } from './turn-item.ts';

/**
 * Failures that are not the model's: `compaction` could not shorten the history, `compaction-loop` stopped because
 * compactions followed one another without progress, `budget-exceeded` ended a tree of agents, `internal` is a fault of ours.
 */
export type LocalFailureCode = 'compaction' | 'compaction-loop' | 'budget-exceeded' | 'undo' | 'review' | 'internal';

/** Why a turn failed: `code` is a model error's code or one of our own. */
export interface TurnFailure {
  readonly code: ModelErrorCode | LocalFailureCode;
  readonly message: string;
  readonly retryable: boolean;
}

export type TurnOutcome =
  | { readonly kind: 'completed'; readonly lastAgentMessage: string | undefined }
  | { readonly kind: 'failed'; readonly failure: TurnFailure }
  | { readonly kind: 'interrupted' };

export interface ThreadTokenUsage {
  /** Sum over the life of the thread, resumed parts included. */
  readonly total: TokenUsage;
  readonly last: TokenUsage;
  /** Usable tokens of the model's window, when known. */
  readonly contextWindow: number | undefined;
}

/**
 * The one event vocabulary. `exec --json`, the SDK, app-server notifications and the terminal are
 * spellings of these. Every turn has exactly one `turn-start` and, last, exactly one `turn-end`.
 */
export type ThreadEvent =
  | { readonly kind: 'thread-start'; readonly threadId: ThreadId; readonly resumed: boolean }
  | { readonly kind: 'turn-start'; readonly turnId: TurnId }
  | { readonly kind: 'item-start'; readonly turnId: TurnId; readonly item: TurnItem }
  | { readonly kind: 'item-update'; readonly turnId: TurnId; readonly item: TurnItem }
  | { readonly kind: 'item-end'; readonly turnId: TurnId; readonly item: TurnItem }
  | { readonly kind: 'text-delta'; readonly turnId: TurnId; readonly itemId: string; readonly delta: string }
  | {
      readonly kind: 'reasoning-delta';
      readonly turnId: TurnId;
      readonly itemId: string;
      readonly delta: string;
      readonly summaryIndex: number;
    }
  | {
      readonly kind: 'command-output-delta';
      readonly turnId: TurnId;
      readonly itemId: string;
      readonly delta: string;
    }
  | { readonly kind: 'token-usage'; readonly turnId: TurnId; readonly usage: ThreadTokenUsage }
  | { readonly kind: 'rate-limits'; readonly turnId: TurnId; readonly snapshot: RateLimitSnapshot }
  /** Agent messages, reasoning and searches that were started and have not ended by now are void. */
  | {
      readonly kind: 'stream-retry';
      readonly turnId: TurnId;
      /** 1-based. */
      readonly attempt: number;
      readonly maxAttempts: number;
      readonly delayMs: number;
      readonly cause: TurnFailure;
    }
  | { readonly kind: 'warning'; readonly turnId: TurnId | undefined; readonly message: string }
  /** Nothing from the model for so long, while the connection is known to be alive. */
  | { readonly kind: 'model-waiting'; readonly turnId: TurnId; readonly silentMs: number }
  | { readonly kind: 'turn-diff'; readonly turnId: TurnId; readonly unifiedDiff: string }
  /** What each sampling request of the turn cost and how it went; right before `turn-end`, if there was one. */
  | { readonly kind: 'turn-receipt'; readonly turnId: TurnId; readonly requests: readonly RequestReceipt[] }
  | { readonly kind: 'turn-end'; readonly turnId: TurnId; readonly outcome: TurnOutcome };
