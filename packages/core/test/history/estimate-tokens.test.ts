import { type ResponseItem, responseItemToJson } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { approximateTokens, estimateItemTokens, estimateTokens } from '../../src/history/estimate-tokens.ts';
import { anyItem, user } from './arbitrary-items.ts';

const jsonTokens = (item: ResponseItem): number =>
  Math.ceil(Buffer.byteLength(JSON.stringify(responseItemToJson(item))) / 4);

/** Tokens of a message with one image. */
const imageTokens = (url: string, detail?: string): number =>
  estimateItemTokens({
    type: 'message',
    role: 'user',
    content: [{ type: 'input_image', image_url: url, ...(detail === undefined ? {} : { detail }) }],
  });

/** What the same message takes without the image's bytes, in bytes. */
const frameBytes = (prefix: string, detail: string): number =>
  Buffer.byteLength(
    JSON.stringify({ type: 'message', role: 'user', content: [{ type: 'input_image', image_url: prefix, detail }] }),
  );

const ZEROS = '\0\0\0\0\0\0\0\0\0\0';

/** The beginnings of files that hold an image of 100 by 65 pixels, which is 4 by 3 patches; a byte for each character. */
const FILES: readonly (readonly [string, string])[] = [
  ['png', '\x89PNG\r\n\x1a\n\0\0\0\0IHDR\0\0\0d\0\0\0A'],
  ['gif', 'GIF89ad\0A\0'],
  ['jpeg', `\xff\xd8\xff\xe1\0\x0c${ZEROS}\xff\xff\xff\xc4\0\x03\0\xff\xc2\0\x11\x08\0A\0d\x03`],
  ['webp', `RIFF\0\0\0\0WEBPVP8X${ZEROS.slice(2)}c\0\0@\0\0`],
  ['webp', `RIFF\0\0\0\0WEBPVP8 ${ZEROS}d\0A\0`],
  ['webp', 'RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2fc\0\x10\0'],
];
const base64 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('base64');

describe('the estimate of an item', () => {
  test('is its JSON at four bytes a token [CORE-80]', () => {
    expect(estimateItemTokens(user('hé'))).toBe(jsonTokens(user('hé')));
    const withParts: ResponseItem = {
      type: 'function_call_output',
      call_id: 'a',
      output: [
        { type: 'input_text', text: '"1"' },
        { type: 'unknown', raw: { type: 'input_audio', data: 'é' } },
        { type: 'input_image', image_url: 'https://example.test/i.png' },
        { type: 'input_image', image_url: 'data:text/plain;base64,AAAA' },
      ],
    };
    expect(estimateItemTokens(withParts)).toBe(jsonTokens(withParts));
  });

  test('counts an inline image at a fixed size, however large it is [CORE-81]', () => {
    const prefix = 'data:image/png;base64,';
    expect(imageTokens(`${prefix}${'A'.repeat(1_000_000)}`, 'low')).toBe(
      approximateTokens(frameBytes(prefix, 'low') + 7_373),
    );
    expect(imageTokens(prefix, 'low')).toBe(imageTokens(`${prefix}${'A'.repeat(1_000)}`, 'low'));
  });

  test.each(FILES)('counts an image sent in full by its pixels: %s [CORE-109]', (format, bytes) => {
    const prefix = `data:image/${format};base64,`;
    const url = `${prefix}${base64(bytes)}`;
    expect(imageTokens(url, 'original')).toBe(approximateTokens(frameBytes(prefix, 'original') + 4 * 4 * 3));
  });

  test('never counts more than ten thousand patches for an image [CORE-109]', () => {
    const prefix = 'data:image/gif;base64,';
    const url = `${prefix}${base64('GIF89a\xff\xff\xff\xff')}`;
    expect(imageTokens(url, 'original')).toBe(approximateTokens(frameBytes(prefix, 'original') + 40_000));
  });

  test('counts a damaged image sent in full like any other, at every place where it can be cut [CORE-109]', () => {
    const prefix = 'data:image/png;base64,';
    const usual = approximateTokens(frameBytes(prefix, 'original') + 7_373);
    for (const [, bytes] of FILES) {
      const whole = base64(bytes);
      for (let length = 0; length < whole.length - 4; length += 1) {
        const tokens = imageTokens(`${prefix}${whole.slice(0, length)}`, 'original');
        expect([usual, approximateTokens(frameBytes(prefix, 'original') + 48)]).toContain(tokens);
      }
    }
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (rest) => {
        expect(imageTokens(`${prefix}${rest}`, 'original')).toBe(usual);
      }),
    );
  });

  test('counts what is encrypted by what it holds, without its envelope [CORE-82]', () => {
    const encrypted_content = 'x'.repeat(4_001);
    expect(estimateItemTokens({ type: 'reasoning', summary: [], encrypted_content })).toBe(
      Math.ceil((3_000 - 650) / 4),
    );
    expect(estimateItemTokens({ type: 'compaction', encrypted_content })).toBe(Math.ceil((3_000 - 650) / 4));
    expect(estimateItemTokens({ type: 'reasoning', summary: [], encrypted_content: 'short' })).toBe(0);
    const open: ResponseItem = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'because' }] };
    expect(estimateItemTokens(open)).toBe(jsonTokens(open));
  });

  test('is nothing for what is never sent [CORE-110]', () => {
    expect(estimateItemTokens({ type: 'ghost_snapshot', ghost_commit: { id: 'c' } })).toBe(0);
  });

  test('of many is the sum of each [CORE-80]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), fc.array(anyItem), (left, right) => {
        expect(estimateTokens([...left, ...right])).toBe(estimateTokens(left) + estimateTokens(right));
      }),
    );
  });
});
