import { spawnSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { IMAGE_MAX_BYTES, loadImage } from '@quire/host';
import { expect, test } from 'vitest';
import { readImageHeader } from '../../src/image/image-header.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { animation, noise, plain, SIZE } from './image-samples.ts';

const SAMPLES = { png: png(), jpeg: jpeg(), gif: gif(), webp: webp('VP8 ') } as const;

test.each(['png', 'jpeg', 'webp'] as const)('a %s image is recognised by its content [HOST-60]', async (format) => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'image.txt');
  const bytes = await noise().toFormat(format).toBuffer();
  await writeFile(path, bytes);
  expect(await loadImage(path)).toEqual({
    format,
    ...SIZE,
    dataUrl: `data:image/${format};base64,${bytes.toString('base64')}`,
  });
});

test('an attached image is made smaller as view_image makes it, and a GIF becomes a PNG [FILE-60]', async () => {
  await using folder = await temporaryDirectory();
  const [large, moving] = [join(folder.path, 'large'), join(folder.path, 'moving')];
  await writeFile(large, await plain({ width: 3_000, height: 1_000 }).jpeg().toBuffer());
  await writeFile(moving, await animation('gif'));
  const images = [await loadImage(large), await loadImage(moving)];
  expect(images.map(({ dataUrl, ...image }) => ({ ...image, type: dataUrl.slice(0, dataUrl.indexOf(';')) }))).toEqual([
    { format: 'jpeg', width: 2_048, height: 683, type: 'data:image/jpeg' },
    { format: 'png', width: 50, height: 40, type: 'data:image/png' },
  ]);
});

test('all three forms of WebP tell their size [HOST-60]', () => {
  const headers = (['VP8 ', 'VP8L', 'VP8X'] as const).map((form) => readImageHeader(webp(form)));
  expect(headers).toEqual(headers.map(() => ({ kind: 'image', header: { format: 'webp', ...SIZE } })));
});

test.each(Object.entries(SAMPLES))('a %s image cut anywhere is no image and no crash [HOST-61]', (format, bytes) => {
  for (let length = 0; length < bytes.length; length += 1) {
    const reading = readImageHeader(bytes.subarray(0, length));
    expect(reading.kind).toBe(
      length < (format === 'webp' ? 12 : ({ png: 8, jpeg: 3, gif: 6 }[format] ?? 0)) ? 'unsupported' : 'damaged',
    );
  }
});

test('an image of size zero, a PNG without header and a JPEG out of step are damaged [HOST-61]', () => {
  const readings = [
    png({ width: 0, height: 1 }),
    Buffer.from(png().toString('latin1').replace('IHDR', 'IXXX'), 'latin1'),
    Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2), Buffer.alloc(40, 1)]),
    Buffer.of(0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xd9),
  ].map(readImageHeader);
  expect(readings).toEqual([
    { kind: 'damaged', format: 'png', reason: 'its size is zero' },
    { kind: 'damaged', format: 'png', reason: 'it has no IHDR chunk' },
    { kind: 'damaged', format: 'jpeg', reason: 'a segment does not begin where the one before says' },
    { kind: 'damaged', format: 'jpeg', reason: 'it has no frame header' },
  ]);
});

test('what can not be attached is refused in one line with the path and the remedy [HOST-62]', async () => {
  await using folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('text.png'), 'not an image');
  await writeFile(at('cut.png'), png().subarray(0, 40));
  await writeFile(at('large.png'), png());
  await truncate(at('large.png'), IMAGE_MAX_BYTES + 1);
  spawnSync('mkfifo', [at('pipe.png')]);
  const names = ['missing.png', 'text.png', 'cut.png', 'large.png', 'pipe.png', 'text.png/below'];
  const errors = await Promise.all(names.map((name) => loadImage(at(name)).catch((error: unknown) => error)));
  const told = errors.map((error) => (error instanceof Error ? { ...error, message: error.message } : error));
  expect(told).toEqual([
    {
      name: 'ImageError',
      code: 'not-found',
      path: at('missing.png'),
      message: `there is no image ${at('missing.png')}; check the path`,
    },
    {
      name: 'ImageError',
      code: 'unsupported',
      path: at('text.png'),
      message: `${at('text.png')} is not a PNG, JPEG, WebP or GIF image; convert it to one of these`,
    },
    {
      name: 'ImageError',
      code: 'damaged',
      path: at('cut.png'),
      message: `the PNG image ${at('cut.png')} is damaged (it ends too early); save it again`,
    },
    {
      name: 'ImageError',
      code: 'too-large',
      path: at('large.png'),
      message: `${at('large.png')} has 50.0 MiB and the limit is 50 MiB; make it smaller`,
    },
    {
      name: 'ImageError',
      code: 'unreadable',
      path: at('pipe.png'),
      message: `${at('pipe.png')} is not a file; give the path of an image file`,
    },
    {
      name: 'ImageError',
      code: 'unreadable',
      path: at('text.png/below'),
      message: `the image ${at('text.png/below')} could not be read (ENOTDIR: not a directory); check its permissions`,
    },
  ]);
});

function png(size: { width: number; height: number } = SIZE): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length, 0);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, data, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size.width, 0);
  header.writeUInt32BE(size.height, 4);
  header.set([8, 2], 8);
  const pixels = deflateSync(Buffer.alloc((size.width * 3 + 1) * size.height));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

function jpeg(): Buffer {
  const application = Buffer.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd8, 0xff);
  const frame = Buffer.of(0xff, 0xc2, 0, 8, 8, 0, SIZE.height, 1, SIZE.width - 256, 0);
  return Buffer.concat([application, frame, Buffer.of(0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9)]);
}

function gif(): Buffer {
  const header = Buffer.from('GIF89a\0\0\0\0\0\0\0', 'latin1');
  header.writeUInt16LE(SIZE.width, 6);
  header.writeUInt16LE(SIZE.height, 8);
  return Buffer.concat([header, Buffer.of(0x2c, 0, 0, 0x3b)]);
}

function webp(form: 'VP8 ' | 'VP8L' | 'VP8X'): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.write(`RIFF\0\0\0\0WEBP${form}`, 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  if (form === 'VP8 ') {
    bytes.writeUInt16LE(SIZE.width, 26);
    bytes.writeUInt16LE(SIZE.height, 28);
  } else if (form === 'VP8L') {
    bytes.writeUInt8(0x2f, 20);
    bytes.writeUInt32LE((SIZE.width - 1) | ((SIZE.height - 1) << 14), 21);
  } else {
    bytes.writeUIntLE(SIZE.width - 1, 24, 3);
    bytes.writeUIntLE(SIZE.height - 1, 27, 3);
  }
  return bytes;
}
