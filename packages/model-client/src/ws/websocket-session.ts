import type { ModelRequest } from '@quire/core';
import { type Credentials, ModelError, type ModelEvent } from '@quire/protocol';
import { afterFailure, type NextStep, type Verdict } from '../fallback/fallback-policy.ts';
import type { FallbackState } from '../fallback/fallback-state.ts';
import type { ReceiptRecorder } from '../receipt/receipt-recorder.ts';
import { currentCredentials, type ThreadLine } from '../thread-line.ts';
import { TurnState } from '../turn-state.ts';
import { UnauthorizedRecovery } from '../unauthorized/recovery.ts';
import type { SocketTurn } from './client-metadata.ts';
import type { ResponsesSocket } from './responses-socket.ts';
import { type HandshakeFailure, SessionSlot, type WarmSocket } from './session-slot.ts';
import { UpgradeUnauthorized, WebSocketLine, type WebSocketLineOptions } from './websocket-line.ts';

/** Losses in a row after which a thread stops to hope. */
const LOSS_LIMIT = 2;
/** A network or a login that was not there at the start may be there when the first turn begins. */
const STALE_FAILURE_MS = 5_000;

export interface SocketExchange {
  readonly request: ModelRequest;
  readonly turn: SocketTurn;
  readonly signal: AbortSignal;
  readonly receipt: ReceiptRecorder;
}

export type SocketOutcome =
  | { readonly kind: 'answered' }
  /** `verdict` makes it final; to be called once HTTP got an answer. Absent: it is final. */
  | { readonly kind: 'http'; readonly verdict: (() => void) | undefined };

/** The WebSocket side of one thread: its slot, its warm-up, and its requests until the fallback. */
export class WebSocketSession {
  readonly #line: ThreadLine;
  readonly #sockets: WebSocketLine;
  readonly #fallback: FallbackState;
  readonly #slot: SessionSlot;
  readonly #lossLimit: number;

  constructor(parts: {
    readonly line: ThreadLine;
    readonly fallback: FallbackState;
    readonly options: WebSocketLineOptions;
  }) {
    const { line, fallback, options } = parts;
    this.#line = line;
    this.#fallback = fallback;
    this.#sockets = new WebSocketLine(line, options);
    this.#lossLimit = Math.max(1, Math.min(LOSS_LIMIT, line.identity.provider.streamMaxRetries));
    this.#slot = new SessionSlot({
      now: () => line.clock.now(),
      onWarmUp: (outcome, durationMs) => line.observer.warmUp?.({ outcome, durationMs }),
      onUse: (use) => line.observer.warmUpUsed?.(use),
    });
  }

  /** Begins the handshake and hands over tools and instructions. Nothing of the conversation is sent. */
  warmUp(request: ModelRequest): void {
    this.#slot.warmUp((signal, onConnected) => this.#warm(request, { signal, onConnected }));
  }

  close(reason: unknown): void {
    this.#slot.close(reason);
  }

  /**
   * One sampling request over WebSocket, as batches of events. When it has to go on over HTTP, the turn has
   * not seen any output. Throws as `ModelTurn.stream` does.
   */
  async *exchange(exchange: SocketExchange): AsyncGenerator<readonly ModelEvent[], SocketOutcome> {
    const { signal, receipt } = exchange;
    let credentials = await currentCredentials(this.#line, signal);
    if (this.#fallback.isOverHttp(this.#sockets.url(credentials).origin)) return { kind: 'http', verdict: undefined };
    let reconnects = 0;
    const recovery = new UnauthorizedRecovery(this.#line);
    try {
      for (;;) {
        receipt.begin('websocket');
        let reused = false;
        try {
          const socket = await this.#acquire(credentials, exchange, { recovery, fresh: reconnects > 0 });
          reused = socket.requests > 0;
          yield* this.#run(socket, credentials, exchange);
          return { kind: 'answered' };
        } catch (error) {
          signal.throwIfAborted();
          const refusal = refusalOf(error, receipt);
          const failure = refusal?.error ?? error;
          if (!(failure instanceof ModelError)) throw error;
          receipt.fail(failure);
          const renewed = refusal && (await recovery.next({ credentials, headers: refusal.headers }, { signal }));
          if (renewed !== undefined) {
            credentials = renewed;
            continue;
          }
          const step = this.#next(failure, { delivered: receipt.delivered, reused, reconnects });
          if (step.kind === 'reconnect') {
            reconnects += 1;
            continue;
          }
          const { origin } = this.#sockets.url(credentials);
          if (step.kind === 'http') return this.#fallBack(step.verdict, origin);
          if (step.verdict !== undefined) this.#activate(step.verdict, origin);
          throw failure;
        }
      }
    } finally {
      await recovery.close();
    }
  }

  #fallBack(verdict: Verdict, origin: string): SocketOutcome {
    if (verdict.provisional) return { kind: 'http', verdict: () => this.#activate(verdict, origin) };
    this.#activate(verdict, origin);
    return { kind: 'http', verdict: undefined };
  }

  #activate(verdict: Verdict, origin: string): void {
    this.#fallback.activate(verdict, origin);
    this.#slot.clear(new ModelError('connection-failed', 'the thread goes on over HTTP', { retryable: false }));
  }

  #next(error: ModelError, at: { delivered: boolean; reused: boolean; reconnects: number }): NextStep {
    const { delivered, reused: reusedConnection, reconnects } = at;
    const lossesBefore = this.#fallback.losses;
    const step = afterFailure(error, {
      delivered,
      reusedConnection,
      reconnects,
      lossesBefore,
      lossLimit: this.#lossLimit,
    });
    if (step.kind === 'fail' && step.lost) this.#fallback.losses += 1;
    return step;
  }

  async *#run(
    socket: ResponsesSocket,
    credentials: Credentials,
    exchange: SocketExchange,
  ): AsyncGenerator<readonly ModelEvent[], void> {
    const { request, turn, signal, receipt } = exchange;
    const { stream, use } = this.#sockets.respond(socket, request, { turn, credentials, signal, generate: true });
    receipt.use(use);
    try {
      for await (const batch of stream.batches()) {
        receipt.note(batch);
        yield batch;
      }
      signal.throwIfAborted();
      this.#fallback.losses = 0;
    } finally {
      stream.close();
      this.#slot.putBack(socket);
    }
  }

  async #acquire(
    credentials: Credentials,
    { turn, signal }: SocketExchange,
    options: { readonly recovery: UnauthorizedRecovery; readonly fresh: boolean },
  ): Promise<ResponsesSocket> {
    const { connectTimeoutMs: timeoutMs } = this.#sockets;
    const adopted = options.fresh
      ? ({ kind: 'none', handshakeFailure: undefined } as const)
      : await this.#slot.adopt({ timeoutMs, signal });
    if (adopted.kind === 'socket') {
      const { socket, turnState } = adopted.warm;
      if (socket.usable && socket.key === this.#sockets.key(credentials)) {
        turn.state.capture(turnState);
        return socket;
      }
      socket.drop();
    } else if (adopted.handshakeFailure !== undefined && stillHolds(adopted.handshakeFailure)) {
      // The warm-up was the first attempt of this request.
      throw adopted.handshakeFailure.error;
    }
    return await this.#sockets.connect(credentials, { turn, after: options.recovery.lastStep, signal });
  }

  async #warm(
    request: ModelRequest,
    { signal, onConnected }: { readonly signal: AbortSignal; readonly onConnected: () => void },
  ): Promise<WarmSocket> {
    const credentials = await currentCredentials(this.#line, signal);
    if (this.#fallback.isOverHttp(this.#sockets.url(credentials).origin)) throw new Error('the thread uses HTTP');
    const state = new TurnState();
    const turn = { turnId: undefined, metadata: undefined, state };
    // A refusal for lack of credentials is for the request to recover from.
    const socket = await this.#sockets.connect(credentials, { turn, after: undefined, signal });
    onConnected();
    try {
      const { stream } = this.#sockets.respond(socket, request, { turn, credentials, signal, generate: false });
      try {
        for await (const _batch of stream.batches()) signal.throwIfAborted();
      } finally {
        stream.close();
      }
    } catch (error) {
      socket.drop();
      // The connection was fine: the request makes a new one.
      throw new Error('the prewarm request failed', { cause: error });
    }
    return { socket, turnState: state.value };
  }
}

/** A 401, of the upgrade or of an event before any output: new credentials may help. */
function refusalOf(
  error: unknown,
  { delivered }: ReceiptRecorder,
): Pick<UpgradeUnauthorized, 'error' | 'headers'> | undefined {
  if (error instanceof UpgradeUnauthorized) return error;
  return error instanceof ModelError && error.httpStatus === 401 && !delivered ? { error, headers: {} } : undefined;
}

/** Whether another handshake would meet the same failure: a refusal stays, a network may have come back. */
function stillHolds({ error, ageMs }: HandshakeFailure): boolean {
  if (error instanceof UpgradeUnauthorized) return ageMs < STALE_FAILURE_MS;
  const kind = error.transportFailure?.kind;
  if (kind === undefined) return false;
  return kind === 'upgrade-status' || kind === 'upgrade-protocol' || ageMs < STALE_FAILURE_MS;
}
