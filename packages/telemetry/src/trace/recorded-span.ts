import type { Span, SpanOptions, TelemetryAttributes } from '@quire/core';
import { childContext, formatTraceparent, type TraceContext } from './trace-context.ts';

/** A span that has ended. */
export interface SpanRecord {
  readonly context: TraceContext;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly isRemoteCall: boolean;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly attributes: TelemetryAttributes;
  /** The kind of its failure. */
  readonly error: string | undefined;
}

export interface SpanSink {
  readonly now: () => number;
  /** Of all spans. */
  readonly attributes: () => TelemetryAttributes;
  readonly add: (span: SpanRecord) => void;
}

export class RecordedSpan implements Span {
  readonly context: TraceContext;
  readonly traceparent: string;
  readonly tracestate: string | undefined;
  readonly #name: string;
  readonly #parentSpanId: string | undefined;
  readonly #isRemoteCall: boolean;
  readonly #startedAtMs: number;
  readonly #sink: SpanSink;
  #attributes: TelemetryAttributes;
  #isEnded = false;

  constructor(sink: SpanSink, name: string, place: SpanOptions & { readonly parent: TraceContext | undefined }) {
    this.context = childContext(place.parent);
    this.traceparent = formatTraceparent(this.context);
    this.tracestate = this.context.state;
    this.#name = name;
    this.#parentSpanId = place.parent?.spanId;
    this.#isRemoteCall = place.isRemoteCall ?? false;
    this.#startedAtMs = place.startedAtMs ?? sink.now();
    this.#attributes = place.attributes ?? {};
    this.#sink = sink;
  }

  startSpan(name: string, options: SpanOptions = {}): Span {
    return new RecordedSpan(this.#sink, name, { ...options, parent: this.context });
  }

  set(attributes: TelemetryAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  end(result: { readonly error?: string | undefined; readonly attributes?: TelemetryAttributes } = {}): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (!this.context.isSampled) return;
    this.#sink.add({
      context: this.context,
      parentSpanId: this.#parentSpanId,
      name: this.#name,
      isRemoteCall: this.#isRemoteCall,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#sink.now(),
      attributes: { ...this.#sink.attributes(), ...this.#attributes, ...result.attributes },
      error: result.error,
    });
  }
}
