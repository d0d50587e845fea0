import type { ModelCallOptions, ModelRequest, ModelTurn, ModelTurnIdentity, Span } from '@quire/core';
import { ModelError, type ModelEvent } from '@quire/protocol';
import type { FallbackState } from './fallback/fallback-state.ts';
import { exchangeOverHttp, type HttpDialect } from './http-exchange.ts';
import type { InFlight } from './in-flight.ts';
import { ReceiptRecorder } from './receipt/receipt-recorder.ts';
import { turnMetadataHeader } from './request/turn-metadata.ts';
import type { ThreadLine } from './thread-line.ts';
import { TurnState } from './turn-state.ts';
import type { WebSocketSession } from './ws/websocket-session.ts';

/** What a turn needs of its thread. */
export interface TurnParts {
  readonly line: ThreadLine;
  readonly dialect: () => Promise<HttpDialect>;
  /** Absent: this thread uses HTTP only. */
  readonly webSocket: (() => Promise<WebSocketSession>) | undefined;
  readonly fallback: FallbackState;
  readonly inFlight: InFlight;
}

interface CallOptions {
  readonly signal: AbortSignal;
  readonly span: Span | undefined;
}

/** Scope: one turn. Holds what the server wants echoed; a new turn starts without it. */
export class TurnSession implements ModelTurn {
  readonly #parts: TurnParts;
  readonly #turnId: ModelTurnIdentity['turnId'];
  readonly #metadata: string | undefined;
  readonly #state = new TurnState();

  constructor(parts: TurnParts, turn: ModelTurnIdentity) {
    this.#parts = parts;
    this.#turnId = turn.turnId;
    this.#metadata = turnMetadataHeader({ turn_id: turn.turnId, ...turn.metadata });
  }

  async *stream(
    request: ModelRequest,
    options: ModelCallOptions,
  ): AsyncGenerator<readonly ModelEvent[], void, undefined> {
    const { signal, leave } = this.#parts.inFlight.enter(options.signal);
    this.#parts.line.observer.requestStart?.(options.span);
    try {
      yield* this.#exchange(request, { signal, span: options.span });
    } finally {
      leave();
    }
  }

  async *#exchange(request: ModelRequest, call: CallOptions): AsyncGenerator<readonly ModelEvent[], void, undefined> {
    const receipt = new ReceiptRecorder(this.#parts.line.clock);
    try {
      yield* this.#answer(request, call, receipt);
    } catch (error) {
      if (call.signal.aborted || !(error instanceof ModelError)) throw error;
      if (receipt.attempts.length > 0) yield [{ kind: 'receipt', receipt: receipt.failed() }];
      throw error;
    }
    yield [{ kind: 'receipt', receipt: receipt.completed() }];
  }

  async *#answer(
    request: ModelRequest,
    { signal, span }: CallOptions,
    receipt: ReceiptRecorder,
  ): AsyncGenerator<readonly ModelEvent[], void, undefined> {
    const { line, dialect, webSocket, fallback } = this.#parts;
    const turn = { turnId: this.#turnId, metadata: this.#metadata, state: this.#state, span };
    let conclude: (() => void) | undefined;
    if (webSocket !== undefined && !fallback.active) {
      const session = await webSocket();
      const outcome = yield* session.exchange({ request, turn, signal, receipt });
      if (outcome.kind === 'answered') return;
      conclude = outcome.verdict;
    }
    const announcement = fallback.takeAnnouncement();
    if (announcement.length > 0) yield announcement;
    yield* exchangeOverHttp(line, {
      request,
      dialect: await dialect(),
      turn,
      signal,
      receipt,
      onAnswer: () => {
        conclude?.();
        return fallback.takeAnnouncement();
      },
    });
  }
}
