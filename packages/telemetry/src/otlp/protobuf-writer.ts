/** Writes the wire format of Protocol Buffers. Source: the encoding guide of protobuf.dev. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];

  /** Everything that was written. */
  finish(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  varint(field: number, value: bigint): void {
    this.#tag(field, /* wireType */ 0);
    this.#varint(value);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, /* wireType */ 1);
    this.#chunks.push(fixed64(value));
  }

  double(field: number, value: number): void {
    this.#tag(field, /* wireType */ 1);
    this.#chunks.push(double(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, /* wireType */ 2);
    this.#varint(BigInt(value.length));
    this.#chunks.push(value);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, /* wireType */ 5);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.#chunks.push(bytes);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(BigInt(field * 8 + wireType));
  }

  #varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#chunks.push(Uint8Array.from(bytes));
  }
}

export function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}
