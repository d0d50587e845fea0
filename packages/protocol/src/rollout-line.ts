/**
 * Rollout lines: one JSON object a line, `{timestamp, type, payload}`. Field names are the file's.
 * Source: files written by the peer, 0.80 to 0.169. Readers skip what they do not know.
 */
import type { JsonObject, JsonValue } from './json.ts';
import type { ResponseItem } from './response-item.ts';

export interface GitInfo {
  readonly commit_hash?: string;
  readonly branch?: string;
  readonly repository_url?: string;
}

export interface SessionMeta {
  readonly id: string;
  readonly forked_from_id?: string;
  readonly timestamp: string;
  readonly cwd: string;
  readonly originator: string;
  readonly cli_version: string;
  readonly source: JsonValue;
  readonly thread_source?: string;
  readonly model_provider?: string;
  readonly base_instructions?: { readonly text: string };
  readonly git?: GitInfo;
  readonly agent_nickname?: string;
  readonly agent_role?: string;
  /** Tools of a host program, as given when the thread began. */
  readonly dynamic_tools?: readonly JsonValue[];
  /** A fork by reference: the thread whose lines come before this file's own. Source: files of 0.169. */
  readonly history_base?: JsonValue;
  /** `paginated`: the lines are numbered. Source: files of 0.169. */
  readonly history_mode?: string;
}

export interface CollaborationModeLine {
  readonly mode: string;
  readonly settings: {
    readonly model?: string;
    readonly reasoning_effort?: string | null;
    readonly developer_instructions?: string | null;
  };
}

export interface TurnContextLine {
  readonly turn_id?: string;
  readonly cwd: string;
  readonly current_date?: string;
  readonly timezone?: string;
  /** A name, or an object that names its form (`granular`, or `reject` in older files) and holds switches. */
  readonly approval_policy: string | JsonObject;
  readonly sandbox_policy: JsonObject;
  readonly model: string;
  readonly personality?: string;
  readonly collaboration_mode?: CollaborationModeLine;
  readonly effort?: string;
  readonly summary: string;
  readonly user_instructions?: string;
  readonly developer_instructions?: string;
  readonly final_output_json_schema?: JsonValue;
  readonly truncation_policy?: { readonly mode: 'bytes' | 'tokens'; readonly limit: number };
}

/** A compaction: the thread goes on from `replacement_history`. */
export interface CompactedLine {
  /** Text of the summary message; empty when the provider made the summary. */
  readonly message: string;
  /** Absent in older files: user messages and `message` are the history then. */
  readonly replacement_history?: readonly ResponseItem[];
  /** Ours; other programs skip it. What the program itself knew of the work when it compacted. */
  readonly ledger?: JsonObject;
}

/** A persisted event: `type` and whatever that event carries, in the file's spelling. */
export interface RolloutEvent {
  readonly type: string;
  readonly [key: string]: JsonValue | undefined;
}

export type RolloutLine =
  | { readonly type: 'session_meta'; readonly payload: SessionMeta }
  | { readonly type: 'response_item'; readonly payload: ResponseItem }
  | { readonly type: 'turn_context'; readonly payload: TurnContextLine }
  | { readonly type: 'compacted'; readonly payload: CompactedLine }
  | { readonly type: 'event_msg'; readonly payload: RolloutEvent };
