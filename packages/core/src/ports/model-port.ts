import type { JsonObject, ModelEvent, ResponseItem, ToolSpec, TurnId } from '@quire/protocol';
import type { PromptItems } from '../history/normalize-history.ts';
import type { Span } from './telemetry.ts';

/** One sampling request, complete: nothing is taken from an earlier one. */
export interface ModelRequest {
  readonly model: string;
  readonly instructions: string;
  /** Normalised history: every call has its output, nothing else needs repair. */
  readonly input: PromptItems;
  readonly tools: readonly ToolSpec[];
  readonly parallelToolCalls: boolean;
  /** Absent: the model has no reasoning controls and the wire field is `null`. */
  readonly reasoning: { readonly effort?: string; readonly summary?: string } | undefined;
  readonly verbosity: string | undefined;
  /** JSON Schema of the final answer. */
  readonly outputSchema: JsonObject | undefined;
  readonly serviceTier: string | undefined;
}

export interface ModelTurnIdentity {
  readonly turnId: TurnId;
  /** Facts about the turn that ride beside the request (`x-codex-turn-metadata`). */
  readonly metadata: JsonObject;
}

/** How one request is made. */
export interface ModelCallOptions {
  readonly signal: AbortSignal;
  /** The span of the request; the provider is told its trace context. Absent: nothing is traced. */
  readonly span?: Span;
}

/**
 * The line to the provider, one for the life of a thread. The thread's id, the provider and the
 * credentials were bound when it was made.
 */
export interface ModelPort {
  /** A session for one turn: what the server asks to be echoed lives exactly as long as it. */
  beginTurn(turn: ModelTurnIdentity): ModelTurn;
  /**
   * Gets the line ready in the background: connection, and the tools and instructions of `request`. Its
   * input is not sent. Returns at once and never reports a failure; the next request makes the best of it.
   */
  warmUp?(options: { readonly request: ModelRequest }): void;
  /**
   * The provider's own compaction: `POST …/responses/compact`. Gives back the items of the answer as they came; any
   * number of them. HTTP retries are inside. Absent: this line has no such endpoint.
   * @throws ModelError, also for an answer that is no list of items; the reason of `signal`
   */
  compact?(request: ModelRequest, options: ModelCallOptions): Promise<readonly ResponseItem[]>;
  /** Releases sockets. Calling it twice is fine; what is in flight rejects. */
  close(): void;
}

export interface ModelTurn {
  /**
   * Sends one sampling request and yields what comes back, in batches as they arrive from the network.
   *
   * Ends normally only after a `response-end` event. Throws `ModelError` when the attempt failed (HTTP
   * retries are already behind it), or the reason of `signal`. Leaving the iteration early, and
   * aborting, close the socket at once.
   */
  stream(request: ModelRequest, options: ModelCallOptions): AsyncIterable<readonly ModelEvent[]>;
}
