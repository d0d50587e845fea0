import type { Clock } from '@quire/core';
import {
  type AttemptReceipt,
  type ModelError,
  type ModelEvent,
  type ModelTransport,
  type RequestReceipt,
  tokenBuckets,
} from '@quire/protocol';

/** A connection as far as a receipt cares. */
export interface ConnectionUse {
  readonly reused: boolean;
  readonly incremental: boolean;
  /** Bytes since the request began on it. */
  readonly bytes: () => { readonly sent: number; readonly received: number };
}

/** Events that tell of the request or the account, not of an answer: without others nothing was delivered. */
const SIDE_EVENTS: ReadonlySet<ModelEvent['kind']> = new Set([
  'response-start',
  'server-model',
  'rate-limits',
  'models-etag',
  'server-reasoning-included',
  'model-silent',
  'transport-fallback',
  'receipt',
  'unknown',
]);

/** Notes how one sampling request went, attempt by attempt. */
export class ReceiptRecorder {
  readonly #clock: Clock;
  readonly #attempts: AttemptReceipt[];
  readonly #startedAtMs: number;
  #transport: ModelTransport = 'http';
  #attemptStartedAtMs: number;
  #connection: ConnectionUse | undefined;
  #firstTokenMs: number | undefined;
  #usage: Extract<ModelEvent, { kind: 'response-end' }>['usage'];

  /** `earlier`: attempts of the same sampling request that the turn made before. */
  constructor(options: { readonly clock: Clock; readonly earlier: readonly AttemptReceipt[] }) {
    this.#clock = options.clock;
    this.#attempts = [...options.earlier];
    this.#startedAtMs = options.clock.now();
    this.#attemptStartedAtMs = this.#startedAtMs;
  }

  /** Output of the model has been handed over. */
  get delivered(): boolean {
    return this.#firstTokenMs !== undefined;
  }

  get attempts(): readonly AttemptReceipt[] {
    return this.#attempts;
  }

  begin(transport: ModelTransport): void {
    this.#transport = transport;
    this.#attemptStartedAtMs = this.#clock.now();
    this.#connection = undefined;
  }

  use(connection: ConnectionUse): void {
    this.#connection = connection;
  }

  fail(error: ModelError): void {
    const { code, message, httpStatus } = error;
    this.#attempts.push({
      transport: this.#transport,
      durationMs: this.#clock.now() - this.#attemptStartedAtMs,
      cause: { code, message, ...(httpStatus === undefined ? {} : { httpStatus }) },
    });
    this.#attemptStartedAtMs = this.#clock.now();
  }

  /** Every batch of the stream comes by here. */
  note(batch: readonly ModelEvent[]): void {
    if (this.#firstTokenMs === undefined && batch.some((event) => !SIDE_EVENTS.has(event.kind))) {
      this.#firstTokenMs = this.#clock.now() - this.#startedAtMs;
    }
    const last = batch.at(-1);
    if (last?.kind === 'response-end') this.#usage = last.usage;
  }

  completed(): RequestReceipt {
    const durationMs = this.#clock.now() - this.#attemptStartedAtMs;
    this.#attempts.push({ transport: this.#transport, durationMs, cause: undefined });
    return this.#receipt('completed');
  }

  failed(): RequestReceipt {
    return this.#receipt('failed');
  }

  #receipt(outcome: RequestReceipt['outcome']): RequestReceipt {
    const bytes = this.#connection?.bytes() ?? { sent: 0, received: 0 };
    return {
      outcome,
      transport: this.#transport,
      attempts: [...this.#attempts],
      reusedConnection: this.#connection?.reused ?? false,
      incremental: this.#connection?.incremental ?? false,
      bytesSent: bytes.sent,
      bytesReceived: bytes.received,
      firstTokenMs: this.#firstTokenMs,
      durationMs: this.#clock.now() - this.#startedAtMs,
      tokens: this.#usage === undefined ? undefined : tokenBuckets(this.#usage),
    };
  }
}
