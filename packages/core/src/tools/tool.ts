import type { ThreadEvent, ToolCallItem, ToolOutputBody, ToolSpec, TurnId, TurnItem } from '@quire/protocol';
import type { ApprovalDesk } from '../approval/approval-desk.ts';
import type { ApprovalDecision } from '../ports/approvals.ts';
import type { Span } from '../ports/telemetry.ts';
import type { ThreadSettings } from '../thread/settings.ts';

/** What a tool does, for hooks and policies. */
export type ToolKind =
  | 'command'
  | 'patch'
  | 'file'
  | 'image'
  | 'plan'
  | 'question'
  | 'javascript'
  | 'mcp'
  | 'dynamic'
  | 'sub-agent';

export interface ToolContext {
  readonly turnId: TurnId;
  readonly settings: ThreadSettings;
  readonly signal: AbortSignal;
  /** Announces progress. The end of an item is not announced here: see `ToolResult.endItem`. */
  readonly emit: (event: ThreadEvent) => void;
  /** What must be over before a tool touches anything. Never rejects. */
  readonly beforeRun?: () => Promise<void>;
  /** What the call is a part of; absent: nothing is recorded. */
  readonly span?: Span | undefined;
  /** A call was made. Absent: nothing is recorded. */
  readonly noteCall?: () => void;
  /** Whether the call may go on was decided, by the settings or by whoever was asked. Absent: nothing is recorded. */
  readonly noteDecision?: (decision: ApprovalDecision['kind'], by: 'settings' | 'person') => void;
  readonly approvals: ApprovalDesk;
  /** Ends the turn as if its person had interrupted it. */
  readonly interrupt: () => void;
  /** Serves a call that a tool makes by itself, with hooks, approvals and all. Never rejects. */
  readonly dispatch: (call: ToolCallItem) => Promise<ToolResult>;
}

export interface ToolResult {
  /** What the model is told. */
  readonly output: ToolOutputBody;
  /** Announced as ended once the output is on disk, so that nothing is shown that could be lost. */
  readonly endItem: TurnItem | undefined;
  /** The tool could not do what was asked. Absent: it could. The model reads it off the output. */
  readonly failed?: true;
}

export interface Tool {
  readonly name: string;
  readonly kind: ToolKind;
  /** Other names under which a model may call it; they are not offered. */
  readonly aliases?: readonly string[];
  /** As offered to the model; absent: it is served when called, and not offered. */
  readonly spec: ToolSpec | undefined;
  /** May overlap with other such tools; any other runs alone. */
  readonly parallelSafe: boolean;
  /** Gets ready what a call will need, in the background. Never throws. */
  prepare?(): void;
  /**
   * Serves a call to its end. Never rejects because of what the model asked for: refusals and failures are
   * outputs. When `context.signal` fires it stops at once and still answers, saying that it was aborted.
   */
  run(call: ToolCallItem, context: ToolContext): Promise<ToolResult>;
}

/** Seconds as tool outputs give them: one decimal, none when whole. */
export function formatSeconds(durationMs: number): string {
  return String(Math.round(durationMs / 100) / 10);
}

/** Seconds of an aborted call: one decimal always, at least 0.1. Source: the peer. */
export function formatAbortedSeconds(durationMs: number): string {
  return Math.max(0.1, durationMs / 1000).toFixed(1);
}
