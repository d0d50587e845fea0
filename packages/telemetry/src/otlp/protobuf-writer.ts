const FIRST_BYTES = 256;
/** Integers below it are written without big integers. */
const SMALL = 0x80000000;

/** Writes the wire format of Protocol Buffers. Source: the encoding guide of protobuf.dev. */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  /** Everything that was written. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  varint(field: number, value: bigint): void {
    this.#tag(field, /* wireType */ 0);
    const wide = BigInt.asUintN(64, value);
    if (wide < SMALL) this.#small(Number(wide));
    else this.#wide(wide);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, /* wireType */ 1);
    this.#reserve(/* byteCount */ 8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  double(field: number, value: number): void {
    this.#tag(field, /* wireType */ 1);
    this.#reserve(/* byteCount */ 8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#head(field, value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  text(field: number, value: string, encoding: 'utf8' | 'hex' = 'utf8'): void {
    const byteLength = Buffer.byteLength(value, encoding);
    this.#head(field, byteLength);
    this.#length += this.#buffer.write(value, this.#length, byteLength, encoding);
  }

  packedFixed64(field: number, values: readonly bigint[]): void {
    this.#head(field, values.length * 8);
    for (const value of values) {
      this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
    }
  }

  packedDoubles(field: number, values: readonly number[]): void {
    this.#head(field, values.length * 8);
    for (const value of values) this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, /* wireType */ 5);
    this.#reserve(/* byteCount */ 4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  /** Of something that has a length, with room for it. */
  #head(field: number, byteLength: number): void {
    this.#tag(field, /* wireType */ 2);
    this.#small(byteLength);
    this.#reserve(byteLength);
  }

  #tag(field: number, wireType: number): void {
    this.#small(field * 8 + wireType);
  }

  /** Below `SMALL`. */
  #small(value: number): void {
    this.#reserve(/* byteCount */ 5);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length] = (rest & 0x7f) | 0x80;
      this.#length += 1;
      rest >>>= 7;
    }
    this.#buffer[this.#length] = rest;
    this.#length += 1;
  }

  #wide(value: bigint): void {
    this.#reserve(/* byteCount */ 10);
    let rest = value;
    while (rest > 0x7fn) {
      this.#buffer[this.#length] = Number(rest & 0x7fn) | 0x80;
      this.#length += 1;
      rest >>= 7n;
    }
    this.#buffer[this.#length] = Number(rest);
    this.#length += 1;
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
