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
  readonly #attempts: AttemptReceipt[] = [];
  readonly #startedAtMs: number;
  #transport: ModelTransport = 'http';
  #attemptStartedAtMs: number;
  #connection: ConnectionUse | undefined;
  /** Bytes of attempts that failed, as far as they got a connection that is known. */
  #failedBytes = { sent: 0, received: 0 };
  #reusedConnection = false;
  #incremental = false;
  #firstTokenMs: number | undefined;
  #usage: Extract<ModelEvent, { kind: 'response-end' }>['usage'];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = clock.now();
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
    this.#forgetConnection();
  }

  /** The connection of this attempt, as soon as it is known. */
  use(connection: ConnectionUse): void {
    this.#connection = connection;
    this.#reusedConnection = connection.reused;
    this.#incremental = connection.incremental;
  }

  fail(error: ModelError): void {
    const { code, message, httpStatus } = error;
    this.#failedBytes = this.#bytes();
    this.#connection = undefined;
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
    const bytes = this.#bytes();
    return {
      outcome,
      transport: this.#transport,
      attempts: [...this.#attempts],
      reusedConnection: this.#reusedConnection,
      incremental: this.#incremental,
      bytesSent: bytes.sent,
      bytesReceived: bytes.received,
      firstTokenMs: this.#firstTokenMs,
      durationMs: this.#clock.now() - this.#startedAtMs,
      tokens: this.#usage === undefined ? undefined : tokenBuckets(this.#usage),
    };
  }

  /** Of all attempts. */
  #bytes(): { readonly sent: number; readonly received: number } {
    const { sent, received } = this.#connection?.bytes() ?? { sent: 0, received: 0 };
    return { sent: this.#failedBytes.sent + sent, received: this.#failedBytes.received + received };
  }

  #forgetConnection(): void {
    this.#connection = undefined;
    this.#reusedConnection = false;
    this.#incremental = false;
  }
}
