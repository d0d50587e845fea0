/** One field of a message in the wire format. Numbers of any type are `bigint`; nested messages are bytes. */
export interface ProtobufField {
  readonly field: number;
  readonly value: bigint | Buffer;
}

/** The fields of a message; `undefined` when the bytes are none. */
export function readProtobuf(bytes: Buffer): readonly ProtobufField[] | undefined {
  const fields: ProtobufField[] = [];
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) return undefined;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined || tag < 8n) return undefined;
    const wireType = Number(tag & 7n);
    const length = wireType === 1 ? 8n : wireType === 5 ? 4n : varint();
    if (length === undefined || ![0, 1, 2, 5].includes(wireType)) return undefined;
    const field = Number(tag >> 3n);
    if (wireType === 0) {
      fields.push({ field, value: length });
      continue;
    }
    const end = at + Number(length);
    if (end > bytes.length) return undefined;
    fields.push({ field, value: bytes.subarray(at, end) });
    at = end;
  }
  return fields;
}

/** The first nested message, or text, with this number. */
export function bytesAt(fields: readonly ProtobufField[] | undefined, field: number): Buffer | undefined {
  const value = fields?.find((entry) => entry.field === field)?.value;
  return Buffer.isBuffer(value) ? value : undefined;
}

/** The first number with this number; 0 when there is none. */
export function numberAt(fields: readonly ProtobufField[] | undefined, field: number): number {
  const value = fields?.find((entry) => entry.field === field)?.value;
  return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0;
}
