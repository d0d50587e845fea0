import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonLinesDecoder, type JsonLinesTail, LineTooLongError } from '../src/index.ts';
import { cutAt, inPieces } from './chunks.ts';

type Line = readonly [line: string, startByte: number, endByte: number];

const encoder = new TextEncoder();
const text = new TextDecoder();

function decode(pieces: Iterable<Uint8Array>): { lines: Line[]; tail: JsonLinesTail | undefined } {
  const decoder = new JsonLinesDecoder();
  const lines: Line[] = [];
  for (const piece of pieces) decoder.push(piece, (line, start, end) => lines.push([line, start, end]));
  return { lines, tail: decoder.end() };
}

test('lines come with the byte range they fill, blank ones are left out [JSONL-01] [JSONL-02]', () => {
  const bytes = encoder.encode('{"a":"ü"}\n\r\n{"b":2}\r\n  \n{"torn"');
  expect(decode([bytes])).toEqual({
    lines: [
      ['{"a":"ü"}', 0, 11],
      ['{"b":2}', 13, 22],
    ],
    tail: { startByte: 25, text: '{"torn"' },
  });
});

test('cutting at every byte changes nothing [JSONL-01]', () => {
  const bytes = encoder.encode('{"a":"grüße 👩‍💻"}\n\n{"b":"日本"}\r\n{"c":3}\nrest');
  const whole = decode([bytes]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    expect(decode([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
  }
  expect(decode(inPieces(bytes, /* size */ 1))).toEqual(whole);
});

test('for any text and any cuts each range holds its line, and the tail is what is left [JSONL-02] [JSONL-03]', () => {
  const content = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\r\n', '')), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(content, fc.array(fc.nat(), { maxLength: 10 }), (parts, cuts) => {
      const bytes = encoder.encode(parts.join(''));
      const { lines, tail } = decode(cutAt(bytes, cuts));
      for (const [line, start, end] of lines) {
        expect(text.decode(bytes.subarray(start, end)).replace(/\r?\n$/, '')).toBe(line);
      }
      const lastLineFeed = bytes.lastIndexOf(10);
      const left = bytes.subarray(lastLineFeed + 1);
      expect(tail).toEqual(left.length === 0 ? undefined : { startByte: lastLineFeed + 1, text: text.decode(left) });
    }),
  );
});

test('a byte order mark at the start of the file is not part of the first line [JSONL-04]', () => {
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, ...encoder.encode('{}\n')]);
  expect(decode(inPieces(bytes, /* size */ 1))).toEqual({ lines: [['{}', 0, 6]], tail: undefined });
});

test.each([1, 100])('a line over the limit is refused and named, in chunks of %i bytes [JSONL-05]', (size) => {
  const decoder = new JsonLinesDecoder({ maxLineBytes: 8 });
  const run = (): void => {
    for (const piece of inPieces(encoder.encode('1234567\n12345678\n'), size)) decoder.push(piece, () => undefined);
  };
  expect(run).toThrow(new LineTooLongError(/* startByte */ 8, /* maxLineBytes */ 8));
  expect(run).toThrow(LineTooLongError);
});
