import type { JsonObject, JsonValue } from './json.ts';

export type CommandStatus = 'in-progress' | 'completed' | 'failed' | 'declined';
export type FileChangeStatus = 'in-progress' | 'completed' | 'failed' | 'declined';

export interface FileChangeSummary {
  /** Absolute. For a move: the new path. */
  readonly path: string;
  readonly kind: 'add' | 'delete' | 'update';
  /** Absolute path before a move. */
  readonly movedFrom?: string;
  readonly addedLines: number;
  readonly removedLines: number;
  /** A unified diff without file headers, for people to read; cut when very long. */
  readonly diff: string;
}

export interface PlanStep {
  readonly step: string;
  readonly status: 'pending' | 'in_progress' | 'completed';
}

/** `endpoint` and `trigger` are done by the provider, `local` asks the model, `trim` needs nobody. */
export type CompactionStrategyName = 'endpoint' | 'trigger' | 'local' | 'trim';

export interface ReviewFinding {
  readonly title: string;
  readonly body: string;
  /** In [0, 1]. */
  readonly confidence: number | undefined;
  /** 0 is the most urgent. */
  readonly priority: number | undefined;
  readonly location: { readonly path: string; readonly startLine: number; readonly endLine: number } | undefined;
}

export interface ReviewResult {
  readonly findings: readonly ReviewFinding[];
  readonly overallCorrectness: string;
  readonly overallExplanation: string;
  readonly overallConfidence: number | undefined;
}

/** An element of the timeline that clients show. `id` is stable between start, update and end. */
export type TurnItem =
  | { readonly kind: 'user-message'; readonly id: string; readonly text: string; readonly imageCount: number }
  | { readonly kind: 'agent-message'; readonly id: string; readonly text: string; readonly phase?: string }
  | {
      readonly kind: 'reasoning';
      readonly id: string;
      /** Summary parts in order. */
      readonly summary: readonly string[];
      readonly raw: readonly string[];
    }
  | {
      readonly kind: 'command-execution';
      readonly id: string;
      /** What runs, as one shell-quoted line. */
      readonly command: string;
      readonly cwd: string;
      readonly output: string;
      readonly exitCode: number | undefined;
      readonly durationMs: number | undefined;
      readonly status: CommandStatus;
      /** Absent: the model asked for it. */
      readonly source?: 'user';
    }
  | {
      readonly kind: 'file-change';
      readonly id: string;
      readonly changes: readonly FileChangeSummary[];
      readonly status: FileChangeStatus;
      /** Why it failed or was declined. */
      readonly message?: string;
    }
  | {
      readonly kind: 'web-search';
      /** The provider's id. */
      readonly id: string;
      readonly query: string;
      readonly action: JsonObject;
    }
  | {
      readonly kind: 'mcp-tool-call';
      readonly id: string;
      readonly server: string;
      readonly tool: string;
      readonly arguments: JsonValue;
      readonly status: 'in-progress' | 'completed' | 'failed' | 'declined';
      /** As the server gave it: `content`, `structured_content`. Absent while it runs, and when it failed. */
      readonly result: JsonObject | undefined;
      readonly error: string | undefined;
      readonly durationMs: number | undefined;
    }
  | {
      /** A function of the embedding program. */
      readonly kind: 'dynamic-tool-call';
      readonly id: string;
      readonly tool: string;
      readonly arguments: JsonValue;
      readonly status: 'in-progress' | 'completed' | 'failed';
      readonly output: string | undefined;
      readonly durationMs: number | undefined;
    }
  | {
      /** Code that the model runs in its kernel. */
      readonly kind: 'javascript';
      readonly id: string;
      readonly code: string;
      readonly status: 'in-progress' | 'completed' | 'failed';
      readonly output: string | undefined;
      readonly durationMs: number | undefined;
    }
  /** The model looked at a picture. */
  | { readonly kind: 'image-view'; readonly id: string; readonly path: string }
  | { readonly kind: 'plan'; readonly id: string; readonly steps: readonly PlanStep[] }
  | {
      /** The history was replaced by a shorter one. Estimates of the whole context, in tokens. */
      readonly kind: 'context-compaction';
      readonly id: string;
      /** Absent while it is under way. */
      readonly strategy: CompactionStrategyName | undefined;
      readonly tokensBefore: number | undefined;
      readonly tokensAfter: number | undefined;
    }
  | { readonly kind: 'review-start'; readonly id: string; readonly target: string }
  | {
      readonly kind: 'review-end';
      readonly id: string;
      /** Absent when the review was interrupted. */
      readonly review: ReviewResult | undefined;
    }
  | {
      /** Something done to a sub-agent. */
      readonly kind: 'sub-agent';
      readonly id: string;
      readonly action: 'spawn' | 'send' | 'wait' | 'resume' | 'close';
      /** Threads it is about; empty while a spawn has none yet. */
      readonly threadIds: readonly string[];
      readonly prompt: string | undefined;
      readonly status: 'in-progress' | 'completed' | 'failed';
      /** Status word of each thread at the end. */
      readonly states: Readonly<Record<string, string>>;
    }
  | {
      /** A call that the runtime could not serve (unknown tool, bad arguments): shown, answered, not fatal. */
      readonly kind: 'tool-error';
      readonly id: string;
      readonly tool: string;
      readonly message: string;
    };

/** Items of these kinds are announced twice, at start and at end; the others only at their end. */
export type TurnItemKind = TurnItem['kind'];
