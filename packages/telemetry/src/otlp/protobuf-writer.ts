const FIRST_BYTES = 16_384;
/** UTF-16 code units. Below it a loop is faster than a call into the platform. */
const SHORT_TEXT = 64;
/** Integers below it are written without big integers. */
const SMALL = 0x80000000;
const MAX_SMALL_BYTES = 5;
/** Fewer digits are exact as a number. */
const LONG_DIGITS = 16;

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

  /** @param value a whole number, or the decimal text of one */
  fixed64(field: number, value: number | string): void {
    this.#tag(field, /* wireType */ 1);
    this.#reserve(/* byteCount */ 8);
    this.#eightBytes(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, /* wireType */ 1);
    this.#reserve(/* byteCount */ 8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  /** A message within the message: `write` writes its fields. */
  message(field: number, write: () => void): void {
    this.#tag(field, /* wireType */ 2);
    const start = this.#length;
    write();
    const size = this.#length - start;
    // What stands before it is known only now: room for it is made.
    const room = sizeOfVarint(size);
    this.#reserve(room + MAX_SMALL_BYTES);
    this.#buffer.copyWithin(start + room, start, this.#length);
    this.#length = start;
    this.#small(size);
    this.#length += size;
  }

  text(field: number, value: string): void {
    if (value.length < SHORT_TEXT && this.#shortText(field, value)) return;
    const byteLength = Buffer.byteLength(value);
    this.#head(field, byteLength);
    this.#length += this.#buffer.write(value, this.#length, byteLength);
  }

  /** Bytes given as hexadecimal digits. */
  hex(field: number, digits: string): void {
    const byteLength = digits.length >>> 1;
    this.#head(field, byteLength);
    this.#length += this.#buffer.write(digits, this.#length, byteLength, 'hex');
  }

  packedFixed64(field: number, values: readonly (number | string)[]): void {
    this.#head(field, values.length * 8);
    for (const value of values) this.#eightBytes(value);
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

  /** `false`, and nothing is written, when not all of it is ASCII. */
  #shortText(field: number, value: string): boolean {
    const before = this.#length;
    this.#head(field, value.length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#length = before;
        return false;
      }
      buffer[at] = code;
      at += 1;
    }
    this.#length = at;
    return true;
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

  /** There is room for them. */
  #eightBytes(value: number | string): void {
    const number = typeof value === 'number' || value.length < LONG_DIGITS ? Number(value) : -1;
    if (number >= 0 && Number.isSafeInteger(number)) {
      this.#length = this.#buffer.writeUInt32LE(number >>> 0, this.#length);
      this.#length = this.#buffer.writeUInt32LE(Math.floor(number / 0x1_0000_0000), this.#length);
    } else {
      this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.#length);
    }
  }

  /** Below `SMALL`. */
  #small(value: number): void {
    this.#reserve(MAX_SMALL_BYTES);
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

/** Bytes. @param value below `SMALL` */
function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}
