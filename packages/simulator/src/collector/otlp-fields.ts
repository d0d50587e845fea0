/** How a field of a message is read. Ids become hexadecimal text and 64-bit numbers decimal text, as in the JSON form. */
export type FieldKind = 'text' | 'id' | 'boolean' | 'number' | 'long' | 'double' | 'longs' | 'doubles' | MessageFields;

/** By field number. */
export interface MessageFields {
  readonly [number: number]: {
    readonly name: string;
    readonly kind: FieldKind;
    readonly isList?: true;
  };
}

const list = (
  name: string,
  kind: FieldKind,
): { readonly name: string; readonly kind: FieldKind; readonly isList: true } => ({
  name,
  kind,
  isList: true,
});

const VALUE: MessageFields = {
  1: { name: 'stringValue', kind: 'text' },
  2: { name: 'boolValue', kind: 'boolean' },
  3: { name: 'intValue', kind: 'long' },
  4: { name: 'doubleValue', kind: 'double' },
};
const ATTRIBUTE: MessageFields = { 1: { name: 'key', kind: 'text' }, 2: { name: 'value', kind: VALUE } };
const RESOURCE: MessageFields = { 1: list('attributes', ATTRIBUTE) };
const SCOPE: MessageFields = { 1: { name: 'name', kind: 'text' }, 2: { name: 'version', kind: 'text' } };
const STATUS: MessageFields = { 2: { name: 'message', kind: 'text' }, 3: { name: 'code', kind: 'number' } };

const SPAN: MessageFields = {
  1: { name: 'traceId', kind: 'id' },
  2: { name: 'spanId', kind: 'id' },
  3: { name: 'traceState', kind: 'text' },
  4: { name: 'parentSpanId', kind: 'id' },
  5: { name: 'name', kind: 'text' },
  6: { name: 'kind', kind: 'number' },
  7: { name: 'startTimeUnixNano', kind: 'long' },
  8: { name: 'endTimeUnixNano', kind: 'long' },
  9: list('attributes', ATTRIBUTE),
  15: { name: 'status', kind: STATUS },
  16: { name: 'flags', kind: 'number' },
};

const LOG: MessageFields = {
  1: { name: 'timeUnixNano', kind: 'long' },
  2: { name: 'severityNumber', kind: 'number' },
  3: { name: 'severityText', kind: 'text' },
  5: { name: 'body', kind: VALUE },
  6: list('attributes', ATTRIBUTE),
  8: { name: 'flags', kind: 'number' },
  9: { name: 'traceId', kind: 'id' },
  10: { name: 'spanId', kind: 'id' },
  11: { name: 'observedTimeUnixNano', kind: 'long' },
  12: { name: 'eventName', kind: 'text' },
};

const NUMBER_POINT: MessageFields = {
  2: { name: 'startTimeUnixNano', kind: 'long' },
  3: { name: 'timeUnixNano', kind: 'long' },
  6: { name: 'asInt', kind: 'long' },
  7: list('attributes', ATTRIBUTE),
};
const HISTOGRAM_POINT: MessageFields = {
  2: { name: 'startTimeUnixNano', kind: 'long' },
  3: { name: 'timeUnixNano', kind: 'long' },
  4: { name: 'count', kind: 'long' },
  5: { name: 'sum', kind: 'double' },
  6: { name: 'bucketCounts', kind: 'longs' },
  7: { name: 'explicitBounds', kind: 'doubles' },
  9: list('attributes', ATTRIBUTE),
  11: { name: 'min', kind: 'double' },
  12: { name: 'max', kind: 'double' },
};
const SUM: MessageFields = {
  1: list('dataPoints', NUMBER_POINT),
  2: { name: 'aggregationTemporality', kind: 'number' },
  3: { name: 'isMonotonic', kind: 'boolean' },
};
const HISTOGRAM: MessageFields = {
  1: list('dataPoints', HISTOGRAM_POINT),
  2: { name: 'aggregationTemporality', kind: 'number' },
};
const METRIC: MessageFields = {
  1: { name: 'name', kind: 'text' },
  3: { name: 'unit', kind: 'text' },
  7: { name: 'sum', kind: SUM },
  9: { name: 'histogram', kind: HISTOGRAM },
};

/** The three kinds of requests that a collector takes, without what this project never sends. */
export const EXPORT_REQUESTS = {
  traces: exportRequest('resourceSpans', 'scopeSpans', list('spans', SPAN)),
  logs: exportRequest('resourceLogs', 'scopeLogs', list('logRecords', LOG)),
  metrics: exportRequest('resourceMetrics', 'scopeMetrics', list('metrics', METRIC)),
} as const;

function exportRequest(resources: string, scopes: string, records: MessageFields[number]): MessageFields {
  const inScope: MessageFields = { 1: { name: 'scope', kind: SCOPE }, 2: records };
  return { 1: list(resources, { 1: { name: 'resource', kind: RESOURCE }, 2: list(scopes, inScope) }) };
}
