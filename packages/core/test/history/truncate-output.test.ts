import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { truncateMiddle, truncateToolOutput } from '../../src/history/truncate-output.ts';
import { utf8Length } from '../../src/utf8.ts';

describe('tool output', () => {
  test('within the budget is untouched [CORE-50]', () => {
    expect(truncateMiddle('short', { mode: 'bytes', limit: 5 })).toBe('short');
  });

  test('over the budget keeps both ends and tells how much is gone [CORE-51]', () => {
    expect(truncateMiddle('abcdefghij', { mode: 'bytes', limit: 4 })).toBe('ab…6 chars truncated…ij');
    expect(truncateMiddle('a'.repeat(40), { mode: 'tokens', limit: 2 })).toBe('aaaa…8 tokens truncated…aaaa');
    expect(truncateMiddle('abc', { mode: 'bytes', limit: 0 })).toBe('…3 chars truncated…');
  });

  test('is never cut inside a character and never over the budget [CORE-52]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(60), (text, limit) => {
        const cut = truncateMiddle(text, { mode: 'bytes', limit });
        const marker = /…\d+ chars truncated…/.exec(cut);
        if (marker === null || text.includes(marker[0])) return;
        const [head = '', tail = ''] = cut.split(marker[0]);
        expect(text.startsWith(head)).toBe(true);
        expect(text.endsWith(tail)).toBe(true);
        expect(utf8Length(head) + utf8Length(tail)).toBeLessThanOrEqual(limit);
        expect(new TextDecoder().decode(new TextEncoder().encode(cut)).length).toBe(cut.length);
      }),
    );
  });

  test('counts bytes as an encoder does [CORE-53]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });

  test('in parts shares one budget, keeps images and counts what it left out [CORE-54]', () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' } as const;
    const text = (value: string) => ({ type: 'input_text', text: value }) as const;
    const body = truncateToolOutput([text('abcd'), text('efghijkl'), image, text('m'), text('n')], {
      mode: 'bytes',
      limit: 6,
    });

    expect(body).toEqual([text('abcd'), text('e…6 chars truncated…l'), image, text('[omitted 2 text items ...]')]);
  });
});
