import type { Span, SpanOptions, Telemetry, TelemetryAttributes } from '@quire/core';
import type { MetricTable } from './metrics/metric-table.ts';
import type { LogEntry } from './otlp/messages.ts';
import { RecordedSpan, type SpanRecord } from './trace/recorded-span.ts';
import type { TraceContext } from './trace/trace-context.ts';
import { UntracedSpan } from './trace/untraced-span.ts';

/** What is told with every record of a thread. */
export interface ThreadDescription {
  /**
   * Of metrics, and of everything else too: few values, none of which names a person or a thread. The very same object
   * as long as nothing in it changes.
   */
  readonly common: () => TelemetryAttributes;
  /** Of spans and logs. */
  readonly thread: TelemetryAttributes;
  /** Of logs alone, such as who it was. A member that is `undefined` takes the common one away. */
  readonly logs: () => TelemetryAttributes;
}

/** Where records go; what is absent goes nowhere. */
export interface Sinks {
  readonly spans: ((span: SpanRecord) => void) | undefined;
  readonly logs: ((entry: LogEntry) => void) | undefined;
  readonly metrics: MetricTable | undefined;
  /** Sends what waits, in the background. */
  readonly flush: () => void;
}

export interface ThreadPlace {
  readonly name: string;
  readonly startedAtMs: number;
  /** What opened the thread: a span of another thread, or of another program. */
  readonly parent: TraceContext | undefined;
}

const NO_TAGS: TelemetryAttributes = {};

/** The records of one thread. Its own span lasts while the thread is opened; everything else stands below it. */
export class ThreadTelemetry implements Telemetry {
  readonly logsPrompts: boolean;
  /** Of the thread. */
  readonly span: Span;
  readonly #describe: ThreadDescription;
  readonly #sinks: Sinks;
  readonly #now: () => number;
  /** Tags with what is common, for tags that are the very same object each time, as those of the events of a stream. */
  readonly #tags = new WeakMap<
    TelemetryAttributes,
    { readonly common: TelemetryAttributes; readonly all: TelemetryAttributes }
  >();

  constructor(
    parts: { readonly sinks: Sinks; readonly now: () => number; readonly logsPrompts: boolean },
    describe: ThreadDescription,
    place: ThreadPlace,
  ) {
    this.logsPrompts = parts.logsPrompts;
    this.#sinks = parts.sinks;
    this.#now = parts.now;
    this.#describe = describe;
    const { spans } = parts.sinks;
    const { name, startedAtMs, parent } = place;
    this.span =
      spans === undefined
        ? new UntracedSpan()
        : new RecordedSpan({ now: parts.now, add: spans, attributes: this.#spanAttributes }, name, {
            startedAtMs,
            parent,
          });
  }

  startSpan(name: string, options: SpanOptions = {}): Span {
    return this.span.startSpan(name, options);
  }

  count(metric: string, attributes: TelemetryAttributes = NO_TAGS): void {
    this.#sinks.metrics?.count(metric, this.#tagsWith(attributes));
  }

  duration(metric: string, durationMs: number, attributes: TelemetryAttributes = NO_TAGS): void {
    this.#sinks.metrics?.record(metric, durationMs, this.#tagsWith(attributes), 'ms');
  }

  timed(
    metric: string,
    { count, durationMs }: { readonly count: number; readonly durationMs: number },
    attributes: TelemetryAttributes,
  ): void {
    const { metrics } = this.#sinks;
    if (metrics === undefined) return;
    const tags = this.#tagsWith(attributes);
    const duration = `${metric}.duration_ms`;
    metrics.count(metric, tags, count);
    metrics.record(duration, durationMs, tags, 'ms');
    if (count > 1) metrics.record(duration, /* amount */ 0, tags, 'ms', count - 1);
  }

  amount(metric: string, amount: number, attributes: TelemetryAttributes = NO_TAGS): void {
    this.#sinks.metrics?.record(metric, amount, this.#tagsWith(attributes), '');
  }

  event(
    name: string,
    attributes: TelemetryAttributes = {},
    { span = this.span }: { readonly span?: Span | undefined } = {},
  ): void {
    const { common, thread, logs } = this.#describe;
    this.#sinks.logs?.({
      name,
      atMs: this.#now(),
      attributes: { ...common(), ...thread, ...logs(), ...attributes },
      context: span instanceof RecordedSpan ? span.context : undefined,
    });
  }

  finished(): void {
    this.#sinks.flush();
  }

  #tagsWith(attributes: TelemetryAttributes): TelemetryAttributes {
    const common = this.#describe.common();
    const known = this.#tags.get(attributes);
    if (known?.common === common) return known.all;
    const all = asTags({ ...common, ...attributes });
    this.#tags.set(attributes, { common, all });
    return all;
  }

  readonly #spanAttributes = (): TelemetryAttributes => ({ ...this.#describe.common(), ...this.#describe.thread });
}

/** Tags of metrics are text, as the peer has them. */
export function asTags(attributes: TelemetryAttributes): TelemetryAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, value === undefined ? undefined : String(value)]),
  );
}
