import { isJsonObject, type JsonObject, type JsonValue, objectAt, stringAt } from '@quire/protocol';

export type TelemetrySignal = 'traces' | 'logs' | 'metrics';

type Attributes = Readonly<Record<string, JsonValue>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly isClient: boolean;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly attributes: Attributes;
  readonly error: string | undefined;
  readonly resource: Attributes;
}

export interface ReceivedLog {
  readonly name: string;
  readonly attributes: Attributes;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly resource: Attributes;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly kind: 'sum' | 'histogram';
  readonly unit: string;
  readonly attributes: Attributes;
  /** The sum, or how many values there were. */
  readonly count: number;
  readonly resource: Attributes;
}

export interface ReceivedRecords {
  readonly spans: readonly ReceivedSpan[];
  readonly logs: readonly ReceivedLog[];
  readonly metrics: readonly ReceivedMetric[];
  /** What is wrong with them. */
  readonly violations: readonly string[];
}

const MEMBERS = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
} as const;

/** The records of one request in its JSON form. */
export function readRecords(signal: TelemetrySignal, message: JsonObject): ReceivedRecords {
  const spans: ReceivedSpan[] = [];
  const logs: ReceivedLog[] = [];
  const metrics: ReceivedMetric[] = [];
  const violations: string[] = [];
  const [resources, scopes, records] = MEMBERS[signal];
  for (const inResource of objects(message[resources])) {
    const resource = attributesIn(objectAt(inResource, 'resource') ?? {}, violations);
    if (typeof resource['service.name'] !== 'string') violations.push('a resource without service.name');
    for (const inScope of objects(inResource[scopes])) {
      if (stringAt(objectAt(inScope, 'scope') ?? {}, 'name') === undefined) violations.push('a scope without a name');
      for (const record of objects(inScope[records])) {
        if (signal === 'traces') spans.push(readSpan(record, resource, violations));
        else if (signal === 'logs') logs.push(readLog(record, resource, violations));
        else metrics.push(...readMetric(record, resource, violations));
      }
    }
  }
  return { spans, logs, metrics, violations };
}

function readSpan(record: JsonObject, resource: Attributes, violations: string[]): ReceivedSpan {
  const name = stringAt(record, 'name') ?? '';
  const [startedAt, endedAt] = [nanoseconds(record, 'startTimeUnixNano'), nanoseconds(record, 'endTimeUnixNano')];
  if (name === '') violations.push('a span without a name');
  if (startedAt === undefined || endedAt === undefined || endedAt < startedAt) {
    violations.push(`the span ${name} has no times, or ends before it starts`);
  }
  const status = objectAt(record, 'status') ?? {};
  return {
    traceId: id(record, 'traceId', { length: 32, of: name, violations }) ?? '',
    spanId: id(record, 'spanId', { length: 16, of: name, violations }) ?? '',
    parentSpanId:
      record['parentSpanId'] === undefined || record['parentSpanId'] === ''
        ? undefined
        : id(record, 'parentSpanId', { length: 16, of: name, violations }),
    name,
    isClient: record['kind'] === 3,
    startedAtMs: Number(startedAt ?? 0n) / 1e6,
    durationMs: Number((endedAt ?? 0n) - (startedAt ?? 0n)) / 1e6,
    attributes: attributesIn(record, violations),
    error: status['code'] === 2 ? (stringAt(status, 'message') ?? '') : undefined,
    resource,
  };
}

function readLog(record: JsonObject, resource: Attributes, violations: string[]): ReceivedLog {
  const name = stringAt(record, 'eventName') ?? '';
  const attributes = attributesIn(record, violations);
  if (name === '' || attributes['event.name'] !== name) violations.push(`a log record without its name: ${name}`);
  if (nanoseconds(record, 'timeUnixNano') === undefined) violations.push(`the log record ${name} has no time`);
  const isTraced = record['traceId'] !== undefined;
  return {
    name,
    attributes,
    traceId: isTraced ? id(record, 'traceId', { length: 32, of: name, violations }) : undefined,
    spanId: isTraced ? id(record, 'spanId', { length: 16, of: name, violations }) : undefined,
    resource,
  };
}

function readMetric(record: JsonObject, resource: Attributes, violations: string[]): readonly ReceivedMetric[] {
  const name = stringAt(record, 'name') ?? '';
  const unit = stringAt(record, 'unit') ?? '';
  const sum = objectAt(record, 'sum');
  const data = sum ?? objectAt(record, 'histogram');
  if (name === '' || data === undefined) {
    violations.push(`a metric without a name or data: ${name}`);
    return [];
  }
  const temporality = data['aggregationTemporality'];
  if (temporality !== 1 && temporality !== 2) violations.push(`the metric ${name} has no temporality`);
  return objects(data['dataPoints']).map((point) => {
    if (nanoseconds(point, 'timeUnixNano') === undefined) violations.push(`a point of ${name} has no time`);
    const count = Number(sum === undefined ? point['count'] : point['asInt']);
    if (!(count > 0)) violations.push(`a point of ${name} has no value`);
    if (sum === undefined && !isWholeHistogram(point, count)) violations.push(`a point of ${name} does not add up`);
    const kind = sum === undefined ? 'histogram' : 'sum';
    return { name, unit, kind, count, attributes: attributesIn(point, violations), resource };
  });
}

function isWholeHistogram(point: JsonObject, count: number): boolean {
  const { bucketCounts, explicitBounds } = point as { bucketCounts?: JsonValue; explicitBounds?: JsonValue };
  if (!Array.isArray(bucketCounts) || !Array.isArray(explicitBounds)) return false;
  const total = bucketCounts.reduce<number>((sum, bucket) => sum + Number(bucket), 0);
  return bucketCounts.length === explicitBounds.length + 1 && total === count && typeof point['sum'] === 'number';
}

function attributesIn(owner: JsonObject, violations: string[]): Attributes {
  const attributes: Record<string, JsonValue> = {};
  for (const entry of objects(owner['attributes'])) {
    const key = stringAt(entry, 'key') ?? '';
    const value = objectAt(entry, 'value') ?? {};
    const [[kind, content] = ['', undefined], ...more] = Object.entries(value);
    if (key === '' || content === undefined || more.length > 0 || key in attributes) {
      violations.push(`the attribute "${key}" is not one key with one value`);
      continue;
    }
    attributes[key] = kind === 'intValue' ? Number(content) : content;
  }
  return attributes;
}

function id(
  record: JsonObject,
  member: string,
  options: { readonly length: number; readonly of: string; readonly violations: string[] },
): string | undefined {
  const text = stringAt(record, member) ?? '';
  const { length, of, violations } = options;
  const isValid = text.length === length && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text);
  if (!isValid) violations.push(`${of} has a bad ${member}: ${text}`);
  return isValid ? text : undefined;
}

function nanoseconds(record: JsonObject, member: string): bigint | undefined {
  const text = record[member];
  return typeof text === 'string' && /^[1-9]\d*$/.test(text) ? BigInt(text) : undefined;
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
