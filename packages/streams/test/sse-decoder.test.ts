import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { SseDecoder, type SseDecoderOptions, SseEventTooLargeError } from '../src/index.ts';
import { cutAt, inPieces } from './chunks.ts';

type Decoded = readonly [data: string, eventName: string | undefined];

const encoder = new TextEncoder();

function decode(pieces: Iterable<Uint8Array>, options?: SseDecoderOptions): Decoded[] {
  const decoder = new SseDecoder(options);
  const events: Decoded[] = [];
  const reused = new Uint8Array(1 << 16);
  for (const piece of pieces) {
    // One buffer for every chunk, as a socket with a pool may do.
    const view = piece.length <= reused.length ? reused.subarray(0, piece.length) : piece;
    view.set(piece);
    decoder.push(view, (data, name) => events.push([data, name]));
  }
  decoder.end();
  return events;
}

/** The standard's algorithm, slow and plain, over a whole stream. */
function reference(bytes: Uint8Array): Decoded[] {
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\r|\n/);
  lines.pop();
  const events: Decoded[] = [];
  let data: string[] = [];
  let name: string | undefined;
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) events.push([data.join('\n'), name === '' ? undefined : name]);
      data = [];
      name = undefined;
    } else if (!line.startsWith(':')) {
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === 'data') data.push(value);
      if (field === 'event') name = value;
    }
  }
  return events;
}

const decodeText = (text: string): Decoded[] => decode([encoder.encode(text)]);

const FIXTURE = [
  ': a comment',
  'event: response.created',
  'data: {"type":"response.created"}',
  '',
  'data:no space',
  'id: 7',
  'retry: 1500',
  '',
  ':',
  'data: first',
  'data:  second keeps one space',
  'data',
  'data: grüße 日本語 👩‍💻 \u{1F600}',
  '',
  '',
  'event: nothing follows',
  '',
  'data:',
  '',
  'unknown: field',
  'data: last: with: colons',
  '',
  'data: never closed',
].join('\n');

const EXPECTED: Decoded[] = [
  ['{"type":"response.created"}', 'response.created'],
  ['no space', undefined],
  ['first\n second keeps one space\n\ngrüße 日本語 👩‍💻 \u{1F600}', undefined],
  ['', undefined],
  ['last: with: colons', undefined],
];

describe.each([
  ['LF', '\n'],
  ['CR', '\r'],
  ['CRLF', '\r\n'],
])('with %s line ends', (_name, terminator) => {
  const bytes = encoder.encode(FIXTURE.replaceAll('\n', terminator));

  test('events are the same wherever the stream is cut once [SSE-01] [SSE-02] [SSE-04]', () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(decode([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(EXPECTED);
    }
  });

  test('events are the same one byte at a time [SSE-01] [SSE-03]', () => {
    expect(decode(inPieces(bytes, /* size */ 1))).toEqual(EXPECTED);
  });

  test('a prefix yields a prefix of the events and nothing half [SSE-05]', () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const events = decode([bytes.slice(0, cut)]);
      expect(events).toEqual(EXPECTED.slice(0, events.length));
    }
  });

  test('a byte order mark at the start is skipped, also when it is cut [SSE-06]', () => {
    const marked = new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]);
    for (const size of [1, 2, 3, marked.length]) expect(decode(inPieces(marked, size))).toEqual(EXPECTED);
  });
});

test('a stream with mixed line ends gives the same events for any cuts [SSE-01] [SSE-02]', () => {
  const line = fc.oneof(
    fc.constantFrom('', 'data', 'data:', ':x', 'event: e', 'id: 1'),
    fc.string({ unit: 'grapheme' }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
  );
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')), { maxLength: 30 })
    .map((lines) => lines.map(([text, terminator]) => text + terminator).join(''));
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
      const bytes = encoder.encode(text);
      expect(decode(cutAt(bytes, cuts))).toEqual(reference(bytes));
    }),
    { numRuns: 500 },
  );
});

test('any bytes at all give the same events for any cuts [SSE-03]', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((noise) => {
    const text = encoder.encode('\r\ndata: ');
    return new Uint8Array([...text, ...noise, 10, 10]);
  });
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), (stream, cuts) => {
      expect(decode(cutAt(stream, cuts))).toEqual(reference(stream));
    }),
    { numRuns: 500 },
  );
});

test('an event dispatched at a CR is not held back for the LF that may follow [SSE-02]', () => {
  const decoder = new SseDecoder();
  const seen: string[] = [];
  decoder.push(encoder.encode('data: a\r\n\r'), (data) => seen.push(data));
  expect(seen).toEqual(['a']);
  decoder.push(encoder.encode('\ndata: b\n\n'), (data) => seen.push(data));
  expect(seen).toEqual(['a', 'b']);
});

test('an LF at the start of a chunk ends the line held from the chunk before, although that had a CR earlier [SSE-02]', () => {
  expect(decode([encoder.encode('data: a\rdata: b'), encoder.encode('\n\n')])).toEqual([['a\nb', undefined]]);
});

test('id and retry are kept, malformed ones are ignored [SSE-07]', () => {
  const decoder = new SseDecoder();
  decoder.push(encoder.encode('id: 5\nretry: 250\ndata: x\n\nid: a\0b\nretry: soon\n\n'), () => undefined);
  expect([decoder.lastEventId, decoder.retryMs]).toEqual(['5', 250]);
});

test('end() tells whether an unfinished event was dropped [SSE-05]', () => {
  const whole = new SseDecoder();
  whole.push(encoder.encode('data: x\n\n'), () => undefined);
  expect(whole.end()).toBe(false);
  for (const rest of ['da', 'data: x', 'data: x\n']) {
    const torn = new SseDecoder();
    torn.push(encoder.encode(rest), () => undefined);
    expect(torn.end()).toBe(true);
  }
});

test('comments alone never add up to the size limit [SSE-08]', () => {
  const decoder = new SseDecoder({ maxEventBytes: 100 });
  for (let count = 0; count < 1000; count += 1) decoder.push(encoder.encode(': keep-alive\n'), () => undefined);
  expect(decoder.end()).toBe(false);
});

test.each([1, 7, 1000])(
  'an event over the limit is refused in chunks of %i bytes, one at the limit is not [SSE-08]',
  (size) => {
    const atLimit = encoder.encode(`data: ${'ü'.repeat(45)}\r\ndata:\n\n`);
    const overLimit = encoder.encode(`data: ${'ü'.repeat(45)}\r\ndata:1\n\n`);
    expect(decode(inPieces(atLimit, size), { maxEventBytes: 101 })).toEqual([[`${'ü'.repeat(45)}\n`, undefined]]);
    expect(() => decode(inPieces(overLimit, size), { maxEventBytes: 101 })).toThrow(SseEventTooLargeError);
  },
);

test('after the limit was passed every push fails the same way [SSE-08]', () => {
  const decoder = new SseDecoder({ maxEventBytes: 10 });
  const pushLarge = (): void => decoder.push(encoder.encode('data: 0123456789'), () => undefined);
  expect(pushLarge).toThrow(SseEventTooLargeError);
  expect(() => decoder.push(encoder.encode('\n\ndata: x\n\n'), () => undefined)).toThrow(SseEventTooLargeError);
});

type ByteMethod = 'set' | 'indexOf' | 'lastIndexOf';

/** Bytes that are copied, searched or decoded while `run` runs. */
function bytesTouched(run: () => void): number {
  let touched = 0;
  const typedArray: Uint8Array = Object.getPrototypeOf(Uint8Array.prototype);
  const spyOn = (method: ByteMethod): { mockRestore(): void } => {
    const original = typedArray[method] as (this: Uint8Array, ...parameters: unknown[]) => unknown;
    return vi.spyOn(typedArray, method).mockImplementation(function (
      this: Uint8Array,
      ...parameters: unknown[]
    ): never {
      const [first] = parameters;
      touched += first instanceof Uint8Array ? first.length : this.length;
      return original.apply(this, parameters) as never;
    });
  };
  const decodeBytes = TextDecoder.prototype.decode;
  const spies = [
    spyOn('set'),
    spyOn('indexOf'),
    spyOn('lastIndexOf'),
    vi.spyOn(TextDecoder.prototype, 'decode').mockImplementation(function (
      this: InstanceType<typeof TextDecoder>,
      bytes,
    ) {
      touched += bytes?.byteLength ?? 0;
      return decodeBytes.call(this, bytes);
    }),
  ];
  try {
    run();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return touched;
}

test.each([
  ['4 KiB chunks', 4096, 4 << 20],
  ['1-byte chunks', 1, 64 << 10],
])('each byte of one huge event in %s is touched a constant number of times [SSE-09]', (_name, chunkSize, size) => {
  const stream = encoder.encode(`data: ${'x'.repeat(size)}\n\n`);
  const pieces = [...inPieces(stream, chunkSize)];
  const decoder = new SseDecoder();
  let length = 0;
  const touched = bytesTouched(() => {
    for (const piece of pieces) {
      decoder.push(piece, (data) => {
        length = data.length;
      });
    }
  });
  expect(length).toBe(size);
  // Searched for LF and for CR, copied, moved while the buffer doubles, decoded.
  expect(touched / size).toBeGreaterThan(2);
  expect(touched / size).toBeLessThan(8);
});

test('text outside events is ignored [SSE-04]', () => {
  expect(decodeText('<html>\n\n{"error":1}\n\n')).toEqual([]);
});
