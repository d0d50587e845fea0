/** Display values only: what a person would read, never an object of ours. Members that are `undefined` are left out. */
export type TelemetryAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A duration in a log record: whole milliseconds as text, which is how the peer tells it. */
export function millisecondsText(ms: number): string {
  return String(Math.round(ms));
}

export interface SpanOptions {
  readonly attributes?: TelemetryAttributes;
  /** Unix milliseconds. Default: now. */
  readonly startedAtMs?: number;
  /** The work is done by somebody who is asked over a network. */
  readonly isRemoteCall?: boolean;
}

/** A piece of work with a beginning and an end. No method throws. */
export interface Span {
  /** W3C trace context of this span, for whoever is asked to do a part of the work. Absent: traces go nowhere. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  startSpan(name: string, options?: SpanOptions): Span;
  set(attributes: TelemetryAttributes): void;
  /** The first end counts. `error`: it failed, and this kind of failure is why; no message that may hold content. */
  end(result?: { readonly error?: string | undefined; readonly attributes?: TelemetryAttributes }): void;
}

/**
 * What is recorded of one thread. The port is absent when nothing is exported: then nothing is even put together.
 * No method throws or waits. Names: docs/telemetry.md.
 */
export interface Telemetry {
  /** Prompts may be a part of what is sent. */
  readonly logsPrompts: boolean;
  /** A span directly below the one of the thread. */
  startSpan(name: string, options?: SpanOptions): Span;
  /** Counts one. */
  count(metric: string, attributes?: TelemetryAttributes): void;
  /** One value of a distribution of milliseconds. */
  duration(metric: string, durationMs: number, attributes?: TelemetryAttributes): void;
  /**
   * Counts `count` things under `metric`, and under `metric.duration_ms` how long each took: the first `durationMs`, those
   * that came with it nothing.
   */
  timed(
    metric: string,
    taken: { readonly count: number; readonly durationMs: number },
    attributes: TelemetryAttributes,
  ): void;
  /** One value of a distribution of amounts, such as tokens. */
  amount(metric: string, amount: number, attributes?: TelemetryAttributes): void;
  /** A log record. `span`: what it happened in. */
  event(name: string, attributes?: TelemetryAttributes, options?: { readonly span?: Span | undefined }): void;
  /** A task is over: what was told of it should not wait any longer. */
  finished(): void;
}
