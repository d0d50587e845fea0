import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextFrameReader } from '../src/ws/text-frames.ts';

interface Frame {
  readonly first: number;
  readonly payload: Buffer;
}

function encode({ first, payload }: Frame): Buffer {
  const length = payload.length;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload]);
  if (length < 65_536) return Buffer.concat([Buffer.from([first, 126, length >> 8, length & 255]), payload]);
  const header = Buffer.alloc(10);
  header.writeUInt8(first);
  header.writeUInt8(127, /* offset */ 1);
  header.writeBigUInt64BE(BigInt(length), /* offset */ 2);
  return Buffer.concat([header, payload]);
}

/** What comes out for bytes that arrive in pieces: texts, and what is left to `ws` joined. */
function read(bytes: Buffer, cuts: readonly number[]): { readonly texts: readonly string[]; readonly rest: Buffer } {
  const texts: string[] = [];
  const rest: Buffer[] = [];
  const reader = new TextFrameReader({ onText: (text) => texts.push(text), onRest: (piece) => rest.push(piece) });
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  places.slice(1).forEach((end, index) => {
    reader.push(bytes.subarray(places[index], end));
  });
  return { texts, rest: Buffer.concat(rest) };
}

const TEXT = 0x81;
const payload = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
  fc.integer({ min: 120, max: 130 }).map((length) => Buffer.alloc(length, 'x')),
  fc.constant(Buffer.alloc(70_000, 'y')),
);
/** Text; pings, closes, binary and fragments, which are for `ws`. */
const frame = fc.record({ first: fc.constantFrom(TEXT, TEXT, 0x89, 0x88, 0x82, 0x01, 0x80), payload });

describe('frames', () => {
  test('of plain text are read and all others are handed on whole, wherever the bytes are cut [WS-50]', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const { texts, rest } = read(Buffer.concat(frames.map(encode)), cuts);
        expect(texts).toEqual(frames.filter(({ first }) => first === TEXT).map((entry) => entry.payload.toString()));
        const others = Buffer.concat(frames.filter(({ first }) => first !== TEXT).map(encode));
        expect(rest.equals(others)).toBe(true);
      }),
    );
  });

  test('after the first compressed one are all handed on, so that none overtakes [WS-51]', () => {
    const plain = encode({ first: TEXT, payload: Buffer.from('before') });
    const compressed = encode({ first: 0xc1, payload: Buffer.from([1, 2, 3]) });
    const after = encode({ first: TEXT, payload: Buffer.from('after') });
    const bytes = Buffer.concat([plain, compressed, after]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { texts, rest } = read(bytes, [cut]);
      expect([texts, rest.equals(Buffer.concat([compressed, after]))]).toEqual([['before'], true]);
    }
  });
});
