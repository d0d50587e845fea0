import type { OtlpMessage, OtlpValue } from './messages.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

type FieldType =
  | 'string'
  | 'hex'
  | 'bool'
  | 'int'
  | 'int64'
  | 'fixed32'
  | 'fixed64'
  | 'double'
  | 'packed-fixed64'
  | 'packed-double'
  | Schema;

interface Schema {
  /** Number and type of each field that we write. */
  readonly [name: string]: readonly [number: number, type: FieldType];
}

const ANY_VALUE: Schema = {
  stringValue: [1, 'string'],
  boolValue: [2, 'bool'],
  intValue: [3, 'int64'],
  doubleValue: [4, 'double'],
};
const KEY_VALUE: Schema = { key: [1, 'string'], value: [2, ANY_VALUE] };
const RESOURCE: Schema = { attributes: [1, KEY_VALUE] };
const SCOPE: Schema = { name: [1, 'string'], version: [2, 'string'] };

const SPAN: Schema = {
  traceId: [1, 'hex'],
  spanId: [2, 'hex'],
  traceState: [3, 'string'],
  parentSpanId: [4, 'hex'],
  name: [5, 'string'],
  kind: [6, 'int'],
  startTimeUnixNano: [7, 'fixed64'],
  endTimeUnixNano: [8, 'fixed64'],
  attributes: [9, KEY_VALUE],
  status: [15, { message: [2, 'string'], code: [3, 'int'] }],
  flags: [16, 'fixed32'],
};

const LOG_RECORD: Schema = {
  timeUnixNano: [1, 'fixed64'],
  severityNumber: [2, 'int'],
  severityText: [3, 'string'],
  body: [5, ANY_VALUE],
  attributes: [6, KEY_VALUE],
  flags: [8, 'fixed32'],
  traceId: [9, 'hex'],
  spanId: [10, 'hex'],
  observedTimeUnixNano: [11, 'fixed64'],
  eventName: [12, 'string'],
};

const TIMES: Schema = { startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'] };
const NUMBER_POINT: Schema = { ...TIMES, asInt: [6, 'fixed64'], attributes: [7, KEY_VALUE] };
const HISTOGRAM_POINT: Schema = {
  ...TIMES,
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  bucketCounts: [6, 'packed-fixed64'],
  explicitBounds: [7, 'packed-double'],
  attributes: [9, KEY_VALUE],
  min: [11, 'double'],
  max: [12, 'double'],
};
const METRIC: Schema = {
  name: [1, 'string'],
  unit: [3, 'string'],
  sum: [7, { dataPoints: [1, NUMBER_POINT], aggregationTemporality: [2, 'int'], isMonotonic: [3, 'bool'] }],
  histogram: [9, { dataPoints: [1, HISTOGRAM_POINT], aggregationTemporality: [2, 'int'] }],
};

/** The three requests of OTLP. Source: opentelemetry-proto 1.7. */
export const REQUESTS = {
  traces: {
    resourceSpans: [1, { resource: [1, RESOURCE], scopeSpans: [2, { scope: [1, SCOPE], spans: [2, SPAN] }] }],
  },
  logs: {
    resourceLogs: [1, { resource: [1, RESOURCE], scopeLogs: [2, { scope: [1, SCOPE], logRecords: [2, LOG_RECORD] }] }],
  },
  metrics: {
    resourceMetrics: [1, { resource: [1, RESOURCE], scopeMetrics: [2, { scope: [1, SCOPE], metrics: [2, METRIC] }] }],
  },
} as const satisfies Record<string, Schema>;

/** The binary form of a message that has the JSON form. A field that the schema does not know is left out. */
export function encodeProtobuf(message: OtlpMessage, schema: Schema): Buffer {
  const writer = new ProtobufWriter();
  writeMessage(writer, message, schema);
  return writer.finish();
}

function writeMessage(writer: ProtobufWriter, message: OtlpMessage, schema: Schema): void {
  for (const name in schema) {
    const value = message[name];
    const row = schema[name];
    if (value === undefined || row === undefined) continue;
    const [field, type] = row;
    if (!isList(value)) writeValue(writer, { field, type, value });
    else if (type === 'packed-fixed64') writer.packedFixed64(field, value as readonly (number | string)[]);
    else if (type === 'packed-double') writer.packedDoubles(field, value.map(Number));
    else for (const item of value) writeValue(writer, { field, type, value: item });
  }
}

function writeValue(
  writer: ProtobufWriter,
  { field, type, value }: { readonly field: number; readonly type: FieldType; readonly value: OtlpValue },
): void {
  switch (type) {
    case 'string':
      writer.text(field, String(value));
      return;
    case 'hex':
      writer.hex(field, String(value));
      return;
    case 'bool':
      writer.varint(field, value === true ? 1n : 0n);
      return;
    case 'int':
    case 'int64':
      writer.varint(field, wide(value));
      return;
    case 'fixed32':
      writer.fixed32(field, Number(value));
      return;
    case 'fixed64':
      writer.fixed64(field, value as number | string);
      return;
    case 'double':
      writer.double(field, Number(value));
      return;
    case 'packed-fixed64':
    case 'packed-double':
      return; // lists only, see above
    default:
      // A schema belongs to a message: both tables are of this folder.
      writer.message(field, () => writeMessage(writer, value as OtlpMessage, type));
  }
}

function isList(value: OtlpValue): value is readonly OtlpValue[] {
  return Array.isArray(value);
}

function wide(value: OtlpValue): bigint {
  return BigInt(value as string | number);
}
