import type { TelemetryAttributes } from '@quire/core';
import { createDialer, type Dialer } from '@quire/network';
import { Dispatch } from './export/dispatch.ts';
import { GrpcCourier } from './export/grpc-courier.ts';
import { HttpCourier } from './export/http-courier.ts';
import type { Courier } from './export/send-outcome.ts';
import { type MetricReading, MetricTable } from './metrics/metric-table.ts';
import type { ExporterSettings, Signal, TelemetryOptions } from './options.ts';
import {
  type LogEntry,
  logsMessage,
  metricsMessage,
  type OtlpMessage,
  type Sender,
  traceMessage,
} from './otlp/messages.ts';
import { encodeProtobuf, REQUESTS } from './otlp/protobuf.ts';
import { resourceAttributes } from './resource.ts';
import { asTags, type Sinks, type ThreadDescription, type ThreadPlace, ThreadTelemetry } from './thread-telemetry.ts';
import type { SpanRecord } from './trace/recorded-span.ts';
import { parseTraceContext, type TraceContext } from './trace/trace-context.ts';

/** Between two readings of the metrics. Source: the default of OpenTelemetry. */
const METRICS_INTERVAL_MS = 60_000;

type ActiveExporter = Exclude<ExporterSettings, { readonly kind: 'none' }>;

/** Collects what the threads of one program tell and sends it to its collectors. Nothing is connected before. */
export class TelemetryExport {
  readonly #options: TelemetryOptions;
  readonly #dialers: Dialer[] = [];
  readonly #spans: Dispatch<SpanRecord> | undefined;
  readonly #logs: Dispatch<LogEntry> | undefined;
  readonly #readings: Dispatch<MetricReading> | undefined;
  readonly #metrics: MetricTable | undefined;
  readonly #sinks: Sinks;
  #flushing: NodeJS.Immediate | undefined;
  #metricsTimer: NodeJS.Timeout | undefined;
  #hasProblem = false;
  #closed: Promise<void> | undefined;

  constructor(options: TelemetryOptions) {
    const { exporters, clock, environment } = options;
    const isCumulative = prefersCumulative(environment['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE']);
    this.#options = options;
    const resource = resourceAttributes(options);
    const senderOf = (signal: Signal): Sender => ({
      resource: { ...options.resources[signal], ...resource },
      scopeVersion: options.serviceVersion,
      redact: options.redact,
    });
    const [traces, logs, metrics] = [senderOf('traces'), senderOf('logs'), senderOf('metrics')];
    this.#spans = this.#dispatch('traces', (spans: readonly SpanRecord[]) => traceMessage(spans, traces));
    this.#logs = this.#dispatch('logs', (entries: readonly LogEntry[]) => logsMessage(entries, logs));
    this.#readings = this.#dispatch('metrics', (readings: readonly MetricReading[]) =>
      metricsMessage(readings, metrics, { isCumulative }),
    );
    if (exporters.metrics.kind !== 'none') {
      this.#metrics = new MetricTable({ now: () => clock.now(), isCumulative });
      this.#metricsTimer = setInterval(() => this.#readMetrics(), METRICS_INTERVAL_MS).unref();
    }
    const { spans: spanQueue, logs: logQueue } = { spans: this.#spans, logs: this.#logs };
    this.#sinks = {
      spans: spanQueue && ((span) => spanQueue.add(span)),
      logs: logQueue && ((entry) => logQueue.add(entry)),
      metrics: this.#metrics,
      flush: () => this.#flushSoon(),
    };
  }

  /** Counts one for the program, without the tags of a thread. */
  count(metric: string, attributes: TelemetryAttributes): void {
    this.#metrics?.count(metric, asTags(attributes));
  }

  /** As `count`, one value of a distribution of milliseconds. */
  duration(metric: string, durationMs: number, attributes: TelemetryAttributes): void {
    this.#metrics?.record(metric, durationMs, asTags(attributes), 'ms');
  }

  /** The records of one thread. Without a parent it stands below what `TRACEPARENT` of the environment names. */
  thread(
    describe: ThreadDescription,
    place: Omit<ThreadPlace, 'parent'> & { readonly parent?: ThreadTelemetry | undefined },
  ): ThreadTelemetry {
    const { clock, logsPrompts } = this.#options;
    const parts = { sinks: this.#sinks, now: () => clock.now(), logsPrompts };
    return new ThreadTelemetry(parts, describe, { ...place, parent: this.#contextOf(place.parent) });
  }

  /** Sends what waits, for `timeoutMs` at most; later records go nowhere. Never rejects. Twice is fine. */
  close({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    this.#closed ??= this.#end(timeoutMs);
    return this.#closed;
  }

  async #end(timeoutMs: number): Promise<void> {
    clearInterval(this.#metricsTimer);
    clearImmediate(this.#flushing);
    this.#readMetrics();
    const bound = new AbortController();
    const timer = setTimeout(() => bound.abort(new Error('the time to send telemetry is over')), timeoutMs);
    await Promise.all([this.#spans, this.#logs, this.#readings].map((dispatch) => dispatch?.end(bound.signal)));
    clearTimeout(timer);
    for (const dialer of this.#dialers) dialer.close();
  }

  #contextOf(parent: ThreadTelemetry | undefined): TraceContext | undefined {
    if (parent !== undefined) return parseTraceContext(parent.span.traceparent, parent.span.tracestate);
    const { environment } = this.#options;
    return parseTraceContext(environment['TRACEPARENT'], environment['TRACESTATE']);
  }

  /** After whoever waits for the end of a turn: making messages takes its time. */
  #flushSoon(): void {
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined;
      this.#readMetrics();
      for (const dispatch of [this.#spans, this.#logs, this.#readings]) dispatch?.flush();
    }).unref();
  }

  #readMetrics(): void {
    const reading = this.#metrics?.read();
    if (reading !== undefined) this.#readings?.add(reading);
  }

  #dispatch<Item>(signal: Signal, toMessage: (items: readonly Item[]) => OtlpMessage): Dispatch<Item> | undefined {
    const { exporters, clock, entropy } = this.#options;
    const exporter = exporters[signal];
    if (exporter.kind === 'none') return undefined;
    const isJson = exporter.kind === 'otlp-http' && exporter.protocol === 'json';
    const url = endpointOf(exporter, signal);
    return new Dispatch<Item>({
      courier: this.#courier(exporter, { signal, url }),
      encode: (items) => {
        const message = toMessage(items);
        return isJson ? Buffer.from(JSON.stringify(message)) : encodeProtobuf(message, REQUESTS[signal]);
      },
      clock,
      entropy,
      onLost: ({ count, reason }) =>
        this.#report(`${signal} could not be sent to ${url.host}: ${reason} (${count} lost)`),
    });
  }

  #courier(exporter: ActiveExporter, to: { readonly signal: Signal; readonly url: URL }): Courier {
    const { environment, clock } = this.#options;
    const dialer = createDialer({ environment, tls: exporter.tls });
    this.#dialers.push(dialer);
    const headers = Object.fromEntries(
      Object.entries(exporter.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const { protocol, kind } = exporter;
    return kind === 'otlp-http'
      ? new HttpCourier(dialer, { url: to.url, headers, protocol }, () => clock.now())
      : new GrpcCourier(dialer, { ...to, headers });
  }

  #report(problem: string): void {
    if (this.#hasProblem) return;
    this.#hasProblem = true;
    const text = this.#options.redact(problem).replace(/\s+/g, ' ');
    this.#options.onProblem(`Telemetry is incomplete: ${text}. Check the otel settings; this is told once.`);
  }
}

function prefersCumulative(preference: string | undefined): boolean {
  return preference?.trim().toLowerCase() === 'cumulative';
}

/**
 * The endpoint is used as it stands, with two exceptions: without a path it gets the usual one, and the usual path of
 * another kind of records becomes that of this kind, as traces go where logs go unless something else is set.
 */
function endpointOf(exporter: ActiveExporter, signal: Signal): URL {
  const url = new URL(exporter.endpoint);
  if (exporter.kind === 'otlp-grpc') return url;
  if (url.pathname === '/') url.pathname = `/v1/${signal}`;
  else url.pathname = url.pathname.replace(/\/v1\/(?:traces|logs|metrics)\/?$/, `/v1/${signal}`);
  return url;
}
