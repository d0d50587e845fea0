import type { TelemetryAttributes } from '@quire/core';
import type { MetricReading } from '../metrics/metric-table.ts';
import type { SpanRecord } from '../trace/recorded-span.ts';
import type { TraceContext } from '../trace/trace-context.ts';

/** A value of an OTLP message in its JSON form: 64-bit numbers and times are decimal text, ids hexadecimal text. */
export type OtlpValue = string | number | boolean | undefined | OtlpMessage | readonly OtlpValue[];
export interface OtlpMessage {
  readonly [field: string]: OtlpValue;
}

export interface LogEntry {
  readonly name: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly attributes: TelemetryAttributes;
  readonly context: TraceContext | undefined;
}

/** Who tells. */
export interface Sender {
  readonly resource: TelemetryAttributes;
  readonly scopeVersion: string;
  /** Takes secrets out of text. */
  readonly redact: (text: string) => string;
}

const SCOPE = 'quire';
/** UTF-16 code units of one text; a longer one is cut. A prompt can be long. */
const MAX_TEXT_LENGTH = 32_768;
const INTERNAL = 1;
const CLIENT = 3;
const ERROR = 2;
const INFO = 9;
const DELTA = 1;
const CUMULATIVE = 2;

/** `ExportTraceServiceRequest` */
export function traceMessage(spans: readonly SpanRecord[], program: Sender): OtlpMessage {
  const sender = rememberingTexts(program);
  const list = spans.map((span) => spanMessage(span, sender));
  return { resourceSpans: [{ resource: resource(sender), scopeSpans: [{ scope: scope(sender), spans: list }] }] };
}

/** `ExportLogsServiceRequest` */
export function logsMessage(entries: readonly LogEntry[], program: Sender): OtlpMessage {
  const sender = rememberingTexts(program);
  const logRecords = entries.map((entry) => logMessage(entry, sender));
  return { resourceLogs: [{ resource: resource(sender), scopeLogs: [{ scope: scope(sender), logRecords }] }] };
}

/** `ExportMetricsServiceRequest` */
export function metricsMessage(
  readings: readonly MetricReading[],
  program: Sender,
  { isCumulative }: { readonly isCumulative: boolean },
): OtlpMessage {
  const sender = rememberingTexts(program);
  const aggregationTemporality = isCumulative ? CUMULATIVE : DELTA;
  const metrics = readings.flatMap((reading) => metricList(reading, sender, aggregationTemporality));
  return { resourceMetrics: [{ resource: resource(sender), scopeMetrics: [{ scope: scope(sender), metrics }] }] };
}

/** For one message: its records say the same about the thread, and what is secret does not change meanwhile. */
function rememberingTexts(sender: Sender): Sender {
  const known = new Map<string, string>();
  const redact = (text: string): string => {
    const clean = known.get(text) ?? sender.redact(text);
    known.set(text, clean);
    return clean;
  };
  return { ...sender, redact };
}

function metricList(reading: MetricReading, sender: Sender, aggregationTemporality: number): readonly OtlpMessage[] {
  const times = { startTimeUnixNano: nanoseconds(reading.fromMs), timeUnixNano: nanoseconds(reading.toMs) };
  const sums = [...reading.sums].map(([name, series]) => ({
    name,
    sum: {
      aggregationTemporality,
      isMonotonic: true,
      dataPoints: series.map(({ attributes, value }) => ({
        attributes: keyValues(attributes, sender),
        ...times,
        asInt: String(value),
      })),
    },
  }));
  const histograms = [...reading.distributions].map(([name, series]) => ({
    name,
    unit: series[0]?.value.unit,
    histogram: {
      aggregationTemporality,
      dataPoints: series.map(({ attributes, value }) => ({
        attributes: keyValues(attributes, sender),
        ...times,
        count: String(value.count),
        sum: value.sum,
        min: value.min,
        max: value.max,
        bucketCounts: value.buckets.map(String),
        explicitBounds: value.bounds,
      })),
    },
  }));
  return [...sums, ...histograms];
}

function spanMessage(span: SpanRecord, sender: Sender): OtlpMessage {
  const { traceId, spanId, state } = span.context;
  return {
    traceId,
    spanId,
    traceState: state,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: span.isRemoteCall ? CLIENT : INTERNAL,
    startTimeUnixNano: nanoseconds(span.startedAtMs),
    endTimeUnixNano: nanoseconds(Math.max(span.startedAtMs, span.endedAtMs)),
    attributes: keyValues(
      span.error === undefined ? span.attributes : { ...span.attributes, 'error.type': span.error },
      sender,
    ),
    status: span.error === undefined ? {} : { code: ERROR, message: span.error },
    flags: 1,
  };
}

function logMessage({ name, atMs, attributes, context }: LogEntry, sender: Sender): OtlpMessage {
  const time = nanoseconds(atMs);
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: INFO,
    severityText: 'INFO',
    body: { stringValue: name },
    // The name stands in both places: collectors that are older than the field read the attribute.
    attributes: keyValues(
      { 'event.name': name, 'event.timestamp': new Date(atMs).toISOString(), ...attributes },
      sender,
    ),
    eventName: name,
    ...(context === undefined
      ? {}
      : { traceId: context.traceId, spanId: context.spanId, flags: context.isSampled ? 1 : 0 }),
  };
}

function resource(sender: Sender): OtlpMessage {
  return { attributes: keyValues(sender.resource, sender) };
}

function scope({ scopeVersion }: Sender): OtlpMessage {
  return { name: SCOPE, version: scopeVersion };
}

function keyValues(attributes: TelemetryAttributes, sender: Sender): readonly OtlpMessage[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value, sender) }],
  );
}

function anyValue(value: string | number | boolean, { redact }: Sender): OtlpMessage {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  const text = redact(value);
  return { stringValue: text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text };
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}
