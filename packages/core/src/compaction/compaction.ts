import type {
  CompactionStrategyName,
  JsonObject,
  MessageItem,
  ModelError,
  ModelEvent,
  ResponseItem,
  TokenUsage,
  ToolSpec,
} from '@quire/protocol';
import type { Clock, Entropy } from '../ports/clock.ts';
import type { ModelPort, ModelTurn } from '../ports/model-port.ts';
import type { ThreadSettings } from '../thread/settings.ts';

/** What a compaction works with. It changes nothing by itself: the thread commits the result, or does not. */
export interface CompactionInput {
  /** Of the model that compacts: the previous one on a switch to a smaller window. */
  readonly settings: ThreadSettings;
  readonly history: readonly ResponseItem[];
  /** As offered in the turn; only remote strategies send them. */
  readonly tools: readonly ToolSpec[];
  /**
   * `mid-turn`: the new history holds the full context itself, in `context`. `standalone` (manual, before a turn):
   * the next regular turn tells everything again, so `context` is empty.
   */
  readonly form: 'mid-turn' | 'standalone';
  readonly context: readonly MessageItem[];
  /** The rendered ledger, put back verbatim right before the summary. */
  readonly ledger: { readonly message: MessageItem; readonly state: JsonObject } | undefined;
  /** Window of the model that goes on after it, in tokens; strategies whose result would not fit are passed over. */
  readonly targetWindow: number | undefined;
  /** The `message` of each earlier `compacted` line: a user message equal to one of them is no person's. */
  readonly knownSummaries: readonly string[];
  /** Strategies that the provider was found not to have; they are passed over. */
  readonly unavailable: ReadonlySet<CompactionStrategyName>;
}

export interface CompactionPorts {
  readonly model: ModelPort;
  /** The session of the running turn. */
  readonly modelTurn: ModelTurn;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

export interface CompactionListener {
  /** Tokens that a request of the compaction used. */
  usage(usage: TokenUsage): void;
  /** A stream is tried again. */
  retry(notice: {
    readonly attempt: number;
    readonly maxAttempts: number;
    readonly delayMs: number;
    readonly cause: ModelError;
  }): void;
  /** For a person: one line. */
  notice(message: string): void;
  /** What a stream said about the line besides its answer: receipts, limits, a change of transport. */
  lineEvent?(event: LineEvent): void;
}

export type LineEvent = Extract<
  ModelEvent,
  { kind: 'rate-limits' | 'server-model' | 'transport-fallback' | 'model-silent' | 'receipt' }
>;

export interface CompactionFailure {
  readonly strategy: CompactionStrategyName;
  readonly error: ModelError;
  /** It worked, and the history would hardly be shorter. */
  readonly freesTooLittle: boolean;
}

/** What a strategy made of a history. */
export interface CompactedHistory {
  /** Text of the summary message; empty when the provider made it. */
  readonly message: string;
  readonly history: readonly ResponseItem[];
}

/**
 * One way to shorten a history. Changes nothing.
 * @throws ModelError when it did not work, the reason of `signal`
 */
export type CompactionStrategy = (
  input: CompactionInput,
  ports: CompactionPorts,
  listener: CompactionListener,
  options: { readonly signal: AbortSignal },
) => Promise<CompactedHistory>;

export type CompactionResult = (
  | ({ readonly kind: 'compacted'; readonly strategy: CompactionStrategyName } & CompactedHistory)
  /** The history stays. Without failures there was no strategy to try. */
  | { readonly kind: 'failed'; readonly failures: readonly CompactionFailure[] }
) & {
  /** Strategies that the provider turned out not to have; for the next compaction of the thread. */
  readonly unavailable: readonly CompactionStrategyName[];
};
