import { assertNever, type RateLimitSnapshot, type RequestReceipt } from '@quire/protocol';
import type { LineEvent } from '../compaction/compaction.ts';
import type { TurnEvents } from './turn-events.ts';

/** Tells people what the line to the provider does during one task. */
export class LineNotices {
  readonly #events: TurnEvents;
  readonly #requestedModel: string;
  readonly #receipts: RequestReceipt[] = [];
  #rateLimits: RateLimitSnapshot | undefined;
  #warnedOfModel = false;
  #isRepeated = false;

  constructor(events: TurnEvents, requestedModel: string) {
    this.#events = events;
    this.#requestedModel = requestedModel;
  }

  /** The limits as last told. */
  get rateLimits(): RateLimitSnapshot | undefined {
    return this.#rateLimits;
  }

  readonly note = (event: LineEvent): void => {
    const { turnId } = this.#events;
    switch (event.kind) {
      case 'rate-limits':
        this.#rateLimits = event.snapshot;
        this.#events.emit({ kind: 'rate-limits', turnId, snapshot: event.snapshot });
        return;
      case 'server-model':
        this.#noteServedModel(event.model);
        return;
      case 'transport-fallback':
        this.#events.warn(`Going on over HTTP, because the WebSocket did not work: ${event.cause}`);
        return;
      case 'model-silent':
        this.#events.emit({ kind: 'model-waiting', turnId, silentMs: event.silentMs });
        return;
      case 'receipt':
        this.#noteReceipt(event.receipt);
        return;
      default:
        assertNever(event, 'LineNotices.note');
    }
  };

  /** The request that has just failed is made once more: both are one request to people. */
  noteRepetition(): void {
    this.#isRepeated = true;
  }

  /** Announces what the requests of the task cost. */
  showReceipts(): void {
    const requests = this.#receipts.splice(0);
    if (requests.length > 0) this.#events.emit({ kind: 'turn-receipt', turnId: this.#events.turnId, requests });
  }

  #noteReceipt(receipt: RequestReceipt): void {
    const isSame = this.#isRepeated && this.#receipts.at(-1)?.outcome === 'failed';
    const failed = isSame ? this.#receipts.pop() : undefined;
    this.#isRepeated = false;
    this.#receipts.push(failed === undefined ? receipt : joinReceipts(failed, receipt));
  }

  /** One neutral notice a task when another model answers than the one asked for. */
  #noteServedModel(model: string): void {
    if (this.#warnedOfModel || model.toLowerCase() === this.#requestedModel.toLowerCase()) return;
    this.#warnedOfModel = true;
    this.#events.warn(`The provider answered with model ${model}; ${this.#requestedModel} was asked for.`);
  }
}

/** The receipt of a request that failed at first, and then went on as `last` tells. */
function joinReceipts(first: RequestReceipt, last: RequestReceipt): RequestReceipt {
  const { firstTokenMs } = last;
  return {
    ...last,
    attempts: [...first.attempts, ...last.attempts],
    bytesSent: first.bytesSent + last.bytesSent,
    bytesReceived: first.bytesReceived + last.bytesReceived,
    firstTokenMs: first.firstTokenMs ?? (firstTokenMs === undefined ? undefined : first.durationMs + firstTokenMs),
    durationMs: first.durationMs + last.durationMs,
  };
}
