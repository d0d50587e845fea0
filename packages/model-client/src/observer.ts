import type { Span } from '@quire/core';
import type { JsonObject, ModelErrorCode, ModelTransport, TransportFailure } from '@quire/protocol';
import type { AuthTags, RecoveryReport, RequestAuthorization } from './unauthorized/auth-tags.ts';
import type { FullReason } from './ws/continuation.ts';

export interface RequestAttempt {
  /** 0 is the first one; each retry counts on. */
  readonly attempt: number;
  /** Below the base URL, such as `/responses`. */
  readonly endpoint: string;
  /** Absent when no response arrived. */
  readonly status: number | undefined;
  readonly error: ModelErrorCode | undefined;
  readonly durationMs: number;
}

/** One step of reading a stream. */
export type StreamPoll =
  /** `count`: so many of them in a row that came together; `durationMs` passed before the first. */
  | { readonly result: 'event'; readonly type: string; readonly count: number; readonly durationMs: number }
  | { readonly result: 'parse-error'; readonly durationMs: number }
  | { readonly result: 'end'; readonly durationMs: number }
  | { readonly result: 'timeout'; readonly durationMs: number };

/** An event that was skipped. Its content is not given: it may be anything. */
export interface StreamProblem {
  readonly kind: 'not-json' | 'no-type' | 'missing-fields';
  readonly type: string | undefined;
}

export interface SocketConnect {
  readonly durationMs: number;
  /** Status of the answer to the upgrade; absent when none came. 101 is success. */
  readonly status: number | undefined;
  readonly error: ModelErrorCode | undefined;
  readonly failure: TransportFailure | undefined;
  readonly phase: 'warm-up' | 'turn';
}

export interface SocketRequest {
  readonly phase: 'warm-up' | 'turn';
  /** Until the frame was handed over. */
  readonly durationMs: number;
  /** The connection was lost while the frame was handed over. */
  readonly error: ModelErrorCode | undefined;
  /** The answer before this one on the connection was that of the warm-up. */
  readonly afterWarmUp: boolean;
  /** Types of the first item that is another than the server holds, and of that one; absent: none is. */
  readonly mismatch: { readonly previous: string | undefined; readonly current: string | undefined } | undefined;
  readonly reusedConnection: boolean;
  readonly mode: 'incremental' | 'full';
  /** Why all of the input was sent. */
  readonly reason: FullReason | undefined;
  readonly frameBytes: number;
}

export interface WarmUpUse {
  /** There was a connection. */
  readonly isReady: boolean;
  /** Since the warm-up began. */
  readonly ageMs: number;
  /** For the warm-up to end. */
  readonly waitedMs: number;
}

export type WarmUpOutcome = 'ready' | 'failed' | 'timed-out' | 'cancelled';

/**
 * Hooks for telemetry. They are called synchronously, also on the per-event path, and must not throw
 * or block; none is called after the stream they belong to has ended. None is ever given a token, a
 * header or a body.
 */
export interface ModelClientObserver {
  /** A request of a turn, or a compaction, begins; what follows is a part of it. Absent span: nothing is traced. */
  requestStart?(span: Span | undefined): void;
  /** Before a request, its HTTP retries and its handshake. */
  requestAuthorization?(authorization: RequestAuthorization): void;
  /** After every HTTP attempt, retries too. A reused socket that was found dead is not an attempt. */
  requestAttempt?(attempt: RequestAttempt): void;
  /** A request body was compressed before it was sent. `durationMs` is an integer. */
  requestCompressed?(sizes: {
    readonly preCompressionBytes: number;
    readonly postCompressionBytes: number;
    readonly durationMs: number;
  }): void;
  /** Compression was asked for and can not be had here; told once. Requests go out uncompressed. */
  compressionUnavailable?(problem: { readonly message: string }): void;
  /** Events of a stream, as they come. Absent `transport` means server-sent events. */
  streamPoll?(poll: StreamPoll, transport?: ModelTransport): void;
  streamProblem?(problem: StreamProblem): void;
  /** After every WebSocket handshake. */
  socketConnect?(connect: SocketConnect): void;
  /** A request was handed to a WebSocket. */
  socketRequest?(request: SocketRequest): void;
  /** A ping of this side was answered. */
  socketPong?(pong: { readonly roundTripMs: number }): void;
  /** What a server tells of its own timing, after the opt-in. */
  serverTiming?(metrics: JsonObject): void;
  warmUp?(warmUp: { readonly outcome: WarmUpOutcome; readonly durationMs: number }): void;
  /** The first request after a warm-up looked for what that had made. */
  warmUpUsed?(use: WarmUpUse): void;
  transportFallback?(fallback: { readonly cause: string; readonly failure: TransportFailure | undefined }): void;
  /** One step after a 401. */
  authRecovery?(report: RecoveryReport): void;
  /** After every request: facts about its credentials, all keys always there. */
  authTags?(tags: AuthTags): void;
}
