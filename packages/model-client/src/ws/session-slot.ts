import { ModelError } from '@quire/protocol';
import type { WarmUpOutcome, WarmUpUse } from '../observer.ts';
import type { ResponsesSocket } from './responses-socket.ts';
import { UpgradeUnauthorized } from './websocket-line.ts';

/** A warmed socket, and the token that the server gave with it: the turn that adopts it echoes that. */
export interface WarmSocket {
  readonly socket: ResponsesSocket;
  readonly turnState: string | undefined;
}

type SlotState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'in-flight';
      readonly startedAtMs: number;
      readonly controller: AbortController;
      /** The handshake is over, well or not. Never rejects. */
      readonly connected: Promise<void>;
      /** Never rejects. */
      readonly job: Promise<void>;
    }
  | { readonly kind: 'ready'; readonly warm: WarmSocket };

export type AdoptResult =
  | { readonly kind: 'socket'; readonly warm: WarmSocket }
  /** `handshakeFailure`: the attempt that was awaited, or the one before, failed so. */
  | { readonly kind: 'none'; readonly handshakeFailure: HandshakeFailure | undefined };

export interface HandshakeFailure {
  readonly error: ModelError | UpgradeUnauthorized;
  readonly ageMs: number;
}

/** The one socket that a thread keeps between requests: warmed at its start, handed on from turn to turn. */
export class SessionSlot {
  readonly #now: () => number;
  readonly #onWarmUp: (outcome: WarmUpOutcome, durationMs: number) => void;
  readonly #onUse: (use: WarmUpUse) => void;
  #state: SlotState = { kind: 'idle' };
  /** Why the last warm-up did not get a connection, until a request has dealt with it. */
  #handshakeFailure: { readonly error: HandshakeFailure['error']; readonly atMs: number } | undefined;
  /** When the warm-up began that no request has looked for yet. */
  #warmedUpAtMs: number | undefined;
  #closed = false;

  constructor(options: {
    readonly now: () => number;
    readonly onWarmUp: (outcome: WarmUpOutcome, durationMs: number) => void;
    readonly onUse: (use: WarmUpUse) => void;
  }) {
    this.#now = options.now;
    this.#onWarmUp = options.onWarmUp;
    this.#onUse = options.onUse;
  }

  get kind(): SlotState['kind'] {
    return this.#state.kind;
  }

  /**
   * Runs `job` in the background; a job still running is aborted first, a ready socket stays as it is.
   * `job` calls `onConnected` when it has a connection, for which it has a limit of its own. It rejects with a ModelError that has `transportFailure`, or with UpgradeUnauthorized, when there was
   * no connection.
   */
  warmUp(job: (signal: AbortSignal, onConnected: () => void) => Promise<WarmSocket>): void {
    if (this.#closed || this.#state.kind === 'ready') return;
    if (this.#state.kind === 'in-flight') this.#state.controller.abort(superseded());
    const controller = new AbortController();
    const startedAtMs = this.#now();
    this.#warmedUpAtMs = startedAtMs;
    let onConnected = (): void => undefined;
    const connected = new Promise<void>((resolve) => {
      onConnected = resolve;
    });
    const run = async (): Promise<void> => {
      try {
        const warm = await job(controller.signal, onConnected);
        if (controller.signal.aborted) warm.socket.drop();
        else this.#state = { kind: 'ready', warm };
        this.#onWarmUp(controller.signal.aborted ? 'cancelled' : 'ready', this.#now() - startedAtMs);
      } catch (error) {
        const cancelled = controller.signal.aborted;
        if (!cancelled) {
          this.#state = { kind: 'idle' };
          const isHandshake = error instanceof ModelError || error instanceof UpgradeUnauthorized;
          this.#handshakeFailure = isHandshake ? { error, atMs: this.#now() } : undefined;
        }
        this.#onWarmUp(cancelled ? 'cancelled' : 'failed', this.#now() - startedAtMs);
      } finally {
        onConnected();
      }
    };
    this.#state = { kind: 'in-flight', startedAtMs, controller, connected, job: run() };
  }

  /**
   * Takes the socket out. One that is being warmed is awaited: its handshake, which ends by its own limit and
   * whose failure is the answer, then the rest until the warm-up is `timeoutMs` old. Rejects with the reason of the signal; the warm-up goes on then.
   */
  async adopt(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<AdoptResult> {
    const askedAtMs = this.#now();
    if (this.#state.kind === 'in-flight') await this.#await(this.#state, options);
    const state = this.#state;
    this.#noteUse(askedAtMs);
    const failure = this.#handshakeFailure;
    this.#handshakeFailure = undefined;
    if (state.kind !== 'ready') {
      const handshakeFailure = failure && { error: failure.error, ageMs: this.#now() - failure.atMs };
      return { kind: 'none', handshakeFailure };
    }
    this.#state = { kind: 'idle' };
    return { kind: 'socket', warm: state.warm };
  }

  /** Once after each warm-up. */
  #noteUse(askedAtMs: number): void {
    const startedAtMs = this.#warmedUpAtMs;
    if (startedAtMs === undefined) return;
    this.#warmedUpAtMs = undefined;
    const nowMs = this.#now();
    const isReady = this.#state.kind === 'ready';
    this.#onUse({ isReady, ageMs: nowMs - startedAtMs, waitedMs: nowMs - askedAtMs });
  }

  /** Keeps a socket for the next request. One that is not wanted is dropped. */
  putBack(socket: ResponsesSocket): void {
    if (this.#closed || this.#state.kind !== 'idle' || !socket.usable) socket.drop();
    else this.#state = { kind: 'ready', warm: { socket, turnState: undefined } };
  }

  /** Drops what there is; a later warm-up may begin again. */
  clear(reason: unknown): void {
    const state = this.#state;
    this.#state = { kind: 'idle' };
    this.#handshakeFailure = undefined;
    if (state.kind === 'in-flight') state.controller.abort(reason);
    else if (state.kind === 'ready') state.warm.socket.drop();
  }

  close(reason: unknown): void {
    this.#closed = true;
    this.clear(reason);
  }

  async #await(
    state: Extract<SlotState, { kind: 'in-flight' }>,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    await settledWithin(state.connected, { signal });
    const remainingMs = Math.max(0, state.startedAtMs + timeoutMs - this.#now());
    const settled = await settledWithin(state.job, { signal, timeoutMs: remainingMs });
    if (settled || this.#state !== state) return;
    this.#state = { kind: 'idle' };
    state.controller.abort(superseded());
    this.#onWarmUp('timed-out', this.#now() - state.startedAtMs);
  }
}

/** Whether `promise`, which never rejects, resolved in time. Rejects with the reason of the signal. */
function settledWithin(
  promise: Promise<void>,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      finish();
      reject(signal.reason);
    };
    const onTimeout = (): void => {
      finish();
      resolve(false);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
    void promise.then(() => {
      finish();
      resolve(true);
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function superseded(): ModelError {
  return new ModelError('connection-failed', 'the warm-up was given up', { retryable: true });
}
