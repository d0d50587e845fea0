import type { ModelErrorCode } from '@quire/protocol';

export interface RequestAttempt {
  /** 0 is the first one; each retry counts on. */
  readonly attempt: number;
  /** Absent when no response arrived. */
  readonly status: number | undefined;
  readonly error: ModelErrorCode | undefined;
  readonly durationMs: number;
}

/** One step of reading a stream. */
export type StreamPoll =
  | { readonly result: 'event'; readonly type: string; readonly durationMs: number }
  | { readonly result: 'parse-error'; readonly durationMs: number }
  | { readonly result: 'end'; readonly durationMs: number }
  | { readonly result: 'timeout'; readonly durationMs: number };

/** An event that was skipped. Its content is not given: it may be anything. */
export interface StreamProblem {
  readonly kind: 'not-json' | 'no-type' | 'missing-fields';
  readonly type: string | undefined;
}

/**
 * Hooks for telemetry. They are called synchronously, also on the per-event path, and must not throw
 * or block; none is called after the stream they belong to has ended.
 */
export interface ModelClientObserver {
  /** After every HTTP attempt, retries too. A reused socket that was found dead is not an attempt. */
  requestAttempt?(attempt: RequestAttempt): void;
  streamPoll?(poll: StreamPoll): void;
  streamProblem?(problem: StreamProblem): void;
}
