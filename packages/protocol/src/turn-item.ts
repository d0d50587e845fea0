import type { JsonObject } from './json.ts';

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
  | { readonly kind: 'plan'; readonly id: string; readonly steps: readonly PlanStep[] }
  | {
      /** A call that the runtime could not serve (unknown tool, bad arguments): shown, answered, not fatal. */
      readonly kind: 'tool-error';
      readonly id: string;
      readonly tool: string;
      readonly message: string;
    };

/** Items of these kinds are announced twice, at start and at end; the others only at their end. */
export type TurnItemKind = TurnItem['kind'];
