import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageReading } from '@quire/core';
import { createImageReader } from '@quire/host';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { animation, noise, plain, pngOf, withPadding } from './image-samples.ts';

const signal = new AbortController().signal;

type Sizing = 'fitted' | 'original';

/** What is read, with its bytes decoded. */
async function read(bytes: Buffer, size: Sizing = 'fitted') {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'image');
  await writeFile(path, bytes);
  const reading = await createImageReader().read(path, { size, signal });
  if (reading.kind !== 'image') return reading;
  const { dataUrl, ...rest } = reading;
  const [, type, data = ''] = /^data:(.*);base64,(.*)$/.exec(dataUrl) ?? [];
  return { ...rest, type, bytes: Buffer.from(data, 'base64') };
}

async function shapeOf(bytes: Buffer, size: Sizing = 'fitted') {
  const reading = await read(bytes, size);
  if (reading.kind !== 'image') return reading;
  const { width, height, type, isOriginal } = reading;
  return { width, height, type, isOriginal };
}

describe('a picture within the bounds', () => {
  test.each(['png', 'jpeg', 'webp'] as const)('keeps its bytes when it is %s [FILE-61]', async (format) => {
    const bytes = await noise({ width: 2_048, height: 3 }).toFormat(format).toBuffer();
    expect(await read(bytes)).toEqual({
      kind: 'image',
      width: 2_048,
      height: 3,
      isOriginal: true,
      type: `image/${format}`,
      bytes,
    });
  });

  test.each([
    ['GIF', () => noise().gif().toBuffer()],
    ['TIFF', () => noise().tiff().toBuffer()],
    ['AVIF', () => noise().avif().toBuffer()],
  ])('becomes PNG when it is %s [FILE-62]', async (_name, make) => {
    const type = 'image/png';
    expect(await shapeOf(await make())).toEqual({ width: 300, height: 7, type, isOriginal: false });
  });

  test.each(['gif', 'webp'] as const)(
    'becomes PNG of its first picture when it is a moving %s [FILE-62]',
    async (format) => {
      const reading = await read(await animation(format));
      if (reading.kind !== 'image') throw new Error(reading.kind);
      const { width, height, pages } = await sharp(reading.bytes).metadata();
      const { dominant } = await sharp(reading.bytes).stats();
      expect({ width, height, pages, type: reading.type, isRed: dominant.r > 200 && dominant.b < 50 }).toEqual({
        width: 50,
        height: 40,
        pages: undefined,
        type: 'image/png',
        isRed: true,
      });
    },
  );

  test('is written anew when most of it is not the picture [FILE-63]', async () => {
    const bytes = withPadding(await plain({ width: 10, height: 10 }).png().toBuffer(), 21 * 1024 * 1024);
    const reading = await read(bytes);
    if (reading.kind !== 'image') throw new Error(reading.kind);
    expect({ isOriginal: reading.isOriginal, isSmall: reading.bytes.length < 1_000 }).toEqual({
      isOriginal: false,
      isSmall: true,
    });
  });
});

describe('a picture beyond the bounds', () => {
  test.each([
    ['png', { width: 3_000, height: 1_000 }, { width: 2_048, height: 683, type: 'image/png' }],
    ['jpeg', { width: 3_000, height: 1_000 }, { width: 2_048, height: 683, type: 'image/jpeg' }],
    ['webp', { width: 1_000, height: 1_000 }, { width: 768, height: 768, type: 'image/png' }],
    ['png', { width: 2_049, height: 1 }, { width: 2_048, height: 1, type: 'image/png' }],
    ['png', { width: 1, height: 3_000 }, { width: 1, height: 768, type: 'image/png' }],
  ] as const)('is fitted into them: %s %o [FILE-64]', async (format, size, expected) => {
    const bytes = await plain(size).toFormat(format).toBuffer();
    expect(await shapeOf(bytes)).toEqual({ ...expected, isOriginal: false });
  });

  test('keeps its bytes when it is asked for in its own size [FILE-65]', async () => {
    const bytes = await plain({ width: 3_000, height: 1_000 }).png().toBuffer();
    const expected = { kind: 'image', width: 3_000, height: 1_000, isOriginal: true, type: 'image/png', bytes };
    expect(await read(bytes, 'original')).toEqual(expected);
  });

  test('with 16 bits for a colour has 8 afterwards [FILE-64]', async () => {
    const bytes = await plain({ width: 3_000, height: 10 }).toColourspace('rgb16').png().toBuffer();
    const reading = await read(bytes);
    if (reading.kind !== 'image') throw new Error(reading.kind);
    const depths = [(await sharp(bytes).metadata()).depth, (await sharp(reading.bytes).metadata()).depth];
    expect(depths).toEqual(['ushort', 'uchar']);
  });
});

test('a photograph that was taken sideways is measured and made smaller upright [FILE-66]', async () => {
  const sideways = (size: { width: number; height: number }) =>
    plain(size).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  const type = 'image/jpeg';
  expect(await shapeOf(await sideways({ width: 1_000, height: 1_500 }))).toEqual({
    width: 1_152,
    height: 768,
    type,
    isOriginal: false,
  });
  // It fits as it is shown, so its bytes stay, and with them its orientation.
  const bytes = await sideways({ width: 700, height: 2_000 });
  expect(await read(bytes)).toEqual({ kind: 'image', width: 2_000, height: 700, type, isOriginal: true, bytes });
});

describe('refused before it enters the history', () => {
  test.each(['png', 'jpeg', 'webp', 'gif'] as const)('is a %s that was cut anywhere [FILE-67]', async (format) => {
    const bytes = await noise({ width: 60, height: 40 }).toFormat(format).toBuffer();
    const kinds = new Set<ImageReading['kind']>();
    for (let part = 1; part < 10; part += 1) {
      const reading = await read(bytes.subarray(0, Math.floor((bytes.length * part) / 10)));
      kinds.add(reading.kind);
    }
    expect([...kinds]).toEqual(['unusable']);
  });

  test('is a PNG whose structure is whole and whose pixels are not [FILE-67]', async () => {
    const bytes = await noise({ width: 60, height: 40 }).png().toBuffer();
    bytes.fill(0x5a, 200, 264);
    expect(await read(bytes)).toEqual({
      kind: 'unusable',
      reason: expect.stringMatching(/^the PNG image is damaged \(.+\); save it again$/),
    });
  });

  test.each([
    ['of a few bytes that claims 50,000 x 50,000 pixels', pngOf({ width: 50_000, height: 50_000 }), '2500'],
    ['that claims a billion rows', pngOf({ width: 1, height: 1_000_000_000 }), '1000'],
  ])('is a picture %s, without decoding it [FILE-68]', async (_name, bytes, millions) => {
    const reading = await read(bytes);
    expect(reading).toEqual({
      kind: 'unusable',
      reason: expect.stringMatching(
        new RegExp(
          `^it has \\d+ x \\d+ pixels \\(${millions} million\\) and the limit is 68 million; make it smaller$`,
        ),
      ),
    });
  });

  test('is an SVG, a BMP and a text [FILE-69]', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>';
    const reason = 'it is not a PNG, JPEG, WebP or GIF image; convert it to one of these';
    for (const content of [svg, 'BM\0\0\0\0', 'text', '']) {
      expect(await read(Buffer.from(content))).toEqual({ kind: 'unusable', reason });
    }
  });

  test('is what is no file, without waiting for it [FILE-70]', async () => {
    await using folder = await temporaryDirectory();
    const at = (name: string): string => join(folder.path, name);
    await mkdir(at('folder'));
    spawnSync('mkfifo', [at('pipe')]);
    const reader = createImageReader();
    const readings = await Promise.all(
      [at('missing'), at('folder'), at('pipe'), '/dev/zero'].map((path) =>
        reader.read(path, { size: 'fitted', signal }),
      ),
    );
    expect(readings).toEqual([
      { kind: 'missing', reason: 'ENOENT: no such file or directory' },
      { kind: 'not-a-file' },
      { kind: 'not-a-file' },
      { kind: 'not-a-file' },
    ]);
  });
});

test('what was read is kept by content: 32 pictures, the last used ones [FILE-71]', async () => {
  await using folder = await temporaryDirectory();
  const reader = createImageReader();
  const write = async (index: number): Promise<string> => {
    const path = join(folder.path, `${index}`);
    await writeFile(
      path,
      await plain({ width: 3_000, height: 10 + index })
        .png()
        .toBuffer(),
    );
    return path;
  };
  const [first, second] = [await write(/* index */ 0), await write(/* index */ 1)];
  const one = await reader.read(first, { size: 'fitted', signal });
  const two = await reader.read(second, { size: 'fitted', signal });
  // Of the same content at another place; the very same object.
  await rm(first);
  const copy = await write(/* index */ 0);
  expect(await reader.read(copy, { size: 'fitted', signal })).toBe(one);
  expect(await reader.read(copy, { size: 'original', signal })).not.toEqual(one);
  for (let index = 2; index < 32; index += 1) await reader.read(await write(index), { size: 'fitted', signal });
  expect(await reader.read(copy, { size: 'fitted', signal })).toBe(one);
  const again = await reader.read(second, { size: 'fitted', signal });
  expect({ isNew: again !== two, isEqual: JSON.stringify(again) === JSON.stringify(two) }).toEqual({
    isNew: true,
    isEqual: true,
  });
});

test('reading ends with its signal, and the next reading is served [FILE-72]', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'image');
  await writeFile(path, await noise({ width: 3_000, height: 2_000 }).png().toBuffer());
  const reader = createImageReader();
  const abort = new AbortController();
  const reason = new Error('stop');
  const readings = [abort.signal, abort.signal].map((own) => reader.read(path, { size: 'fitted', signal: own }));
  const settled = Promise.allSettled(readings);
  setImmediate(() => abort.abort(reason));
  expect(await settled).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  const next = await reader.read(path, { size: 'fitted', signal });
  expect(next.kind).toBe('image');
});
