import type { JsonObject, JsonValue } from '@quire/protocol';
import type { FieldKind, MessageFields } from './otlp-fields.ts';

/** Bytes that are no message of the expected kind. */
class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/** A message of Protocol Buffers in its JSON form. Throws MalformedMessageError, also for a field that is not expected. */
export function decodeMessage(bytes: Buffer, fields: MessageFields): JsonObject {
  const message: Record<string, JsonValue> = {};
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = Number(reader.varint());
    const field = fields[tag >> 3];
    if (field === undefined) throw new MalformedMessageError(`unexpected field ${tag >> 3}`);
    const value = readValue(reader, tag & 7, field.kind);
    const earlier = message[field.name];
    if (field.isList === undefined) message[field.name] = value;
    else message[field.name] = [...(Array.isArray(earlier) ? earlier : []), value];
  }
  return message;
}

function readValue(reader: Reader, wireType: number, kind: FieldKind): JsonValue {
  switch (kind) {
    case 'text':
      return new TextDecoder('utf-8', { fatal: true }).decode(reader.bytes(wireType));
    case 'id':
      return reader.bytes(wireType).toString('hex');
    case 'boolean':
      return reader.integer(wireType) !== 0n;
    case 'number':
      return Number(reader.integer(wireType));
    case 'long':
      return String(reader.integer(wireType));
    case 'double':
      return reader.double(wireType);
    case 'longs':
      return packed(reader.bytes(wireType)).map((at) => String(at.integer(/* wireType */ 1)));
    case 'doubles':
      return packed(reader.bytes(wireType)).map((at) => at.double(/* wireType */ 1));
    default:
      return decodeMessage(reader.bytes(wireType), kind);
  }
}

/** One reader for each of the eight-byte values. */
function packed(bytes: Buffer): readonly Reader[] {
  if (bytes.length % 8 !== 0) throw new MalformedMessageError('a packed list ends within a value');
  return Array.from({ length: bytes.length / 8 }, (_, index) => new Reader(bytes.subarray(index * 8, index * 8 + 8)));
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const [byte = 0] = this.#take(/* length */ 1);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedMessageError('a number has more than 64 bits');
  }

  integer(wireType: number): bigint {
    if (wireType === 0) return this.varint();
    if (wireType === 1) return this.#take(/* length */ 8).readBigUInt64LE();
    if (wireType === 5) return BigInt(this.#take(/* length */ 4).readUInt32LE());
    throw new MalformedMessageError(`wire type ${wireType} for a number`);
  }

  double(wireType: number): number {
    if (wireType !== 1) throw new MalformedMessageError(`wire type ${wireType} for a double`);
    return this.#take(/* length */ 8).readDoubleLE();
  }

  bytes(wireType: number): Buffer {
    if (wireType !== 2) throw new MalformedMessageError(`wire type ${wireType} for bytes`);
    return this.#take(Number(this.varint()));
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new MalformedMessageError('the message ends within a field');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}
