import type { Span } from '@quire/core';
import type { TurnId } from '@quire/protocol';
import type { RequestIdentity } from '../request/headers.ts';
import type { TurnState } from '../turn-state.ts';

/** Whose request it is. */
export interface SocketTurn {
  /** Absent: the warm-up, which belongs to no turn. */
  readonly turnId: TurnId | undefined;
  readonly metadata: string | undefined;
  readonly state: TurnState;
  /** Of the request; absent: nothing is traced. */
  readonly span?: Span | undefined;
}

/** What rides in a frame because frames have no headers. Table: docs/model-requests.md. */
export function clientMetadata(
  identity: RequestIdentity,
  turn: SocketTurn,
  nowMs: number,
): Readonly<Record<string, string>> {
  const { value: state } = turn.state;
  const { traceparent, tracestate } = turn.span ?? {};
  return {
    session_id: identity.threadId,
    thread_id: identity.threadId,
    turn_id: turn.turnId ?? '',
    ...(turn.metadata === undefined ? {} : { 'x-codex-turn-metadata': turn.metadata }),
    ...(state === undefined ? {} : { 'x-codex-turn-state': state }),
    ...(identity.subagent === undefined ? {} : { 'x-openai-subagent': identity.subagent }),
    'x-codex-ws-stream-request-start-ms': String(nowMs),
    ...(traceparent === undefined ? {} : { ws_request_header_traceparent: traceparent }),
    ...(tracestate === undefined ? {} : { ws_request_header_tracestate: tracestate }),
  };
}
