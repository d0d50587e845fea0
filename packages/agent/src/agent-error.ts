import type { TurnFailure } from '@quire/protocol';

export type AgentErrorCode =
  | 'not-a-repository'
  | 'missing-directory'
  | 'configuration'
  | 'no-credentials'
  | 'no-local-server'
  | 'thread-not-found'
  | 'archived'
  | 'rollout'
  | 'image'
  | 'mcp'
  | 'invalid-argument'
  | 'busy'
  | 'closed';

/** A request that can not be served. The message is one line that says what, where and what to do. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A turn that ended in failure, for callers that want a rejection instead of an event. */
export class TurnFailedError extends Error {
  override readonly name = 'TurnFailedError';
  readonly failure: TurnFailure;

  constructor(failure: TurnFailure) {
    super(failure.message);
    this.failure = failure;
  }
}
