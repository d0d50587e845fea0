import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

export const SIZE = { width: 300, height: 7 };

/** Pixels that compress badly, so that damage meets data and not padding. */
export function noise({ width, height }: { readonly width: number; readonly height: number } = SIZE): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  let seed = 1;
  for (let index = 0; index < pixels.length; index += 1) {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    pixels[index] = seed >> 16;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

export function plain(size: { readonly width: number; readonly height: number }, colour = '#4080c0'): Sharp {
  return sharp({ create: { ...size, channels: 3, background: colour } });
}

/** Two different pictures after one another. */
export async function animation(format: 'gif' | 'webp'): Promise<Buffer> {
  const size = { width: 50, height: 40 };
  const frames = await Promise.all([plain(size, '#f00').png().toBuffer(), plain(size, '#00f').png().toBuffer()]);
  return sharp(frames, { join: { animated: true } })
    .toFormat(format)
    .toBuffer();
}

/** A PNG that says it has this size, whatever is in it. */
export function pngOf(size: { readonly width: number; readonly height: number }): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size.width, 0);
  header.writeUInt32BE(size.height, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const pixels = deflateSync(Buffer.alloc(10_000));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

/** The same picture with so many bytes more that mean nothing. */
export function withPadding(png: Buffer, bytes: number): Buffer {
  const end = png.length - 12;
  return Buffer.concat([png.subarray(0, end), chunk('prVt', Buffer.alloc(bytes)), png.subarray(end)]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length, 0);
  sum.writeUInt32BE(crc32(body), 0);
  return Buffer.concat([length, body, sum]);
}
