export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif';

export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export type ImageHeaderReading =
  | { readonly kind: 'image'; readonly header: ImageHeader }
  | { readonly kind: 'damaged'; readonly format: ImageFormat; readonly reason: string }
  | { readonly kind: 'unsupported' };

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Recognises an image by its content and reads its size. A file that ends before its format says so is
 * damaged: a provider that refuses one image refuses every later request of the thread.
 */
export function readImageHeader(bytes: Buffer): ImageHeaderReading {
  const format = recognise(bytes);
  if (format === undefined) return { kind: 'unsupported' };
  const size = READERS[format](bytes);
  if (typeof size === 'string') return { kind: 'damaged', format, reason: size };
  if (size.width === 0 || size.height === 0) return { kind: 'damaged', format, reason: 'its size is zero' };
  return { kind: 'image', header: { format, ...size } };
}

const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const TRUNCATED = 'it ends too early';

function recognise(bytes: Buffer): ImageFormat | undefined {
  if (bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return 'png';
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  const start = bytes.toString('latin1', 0, 12);
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'gif';
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? 'webp' : undefined;
}

/** Each gives the size, or what is wrong. */
const READERS: Readonly<Record<ImageFormat, (bytes: Buffer) => Size | string>> = {
  png: readPng,
  jpeg: readJpeg,
  webp: readWebp,
  gif: readGif,
};

/** Chunks: length, type, data, checksum. Source: PNG specification, section 5. */
function readPng(bytes: Buffer): Size | string {
  if (bytes.length < 33) return TRUNCATED;
  if (bytes.readUInt32BE(8) !== 13 || bytes.toString('latin1', 12, 16) !== 'IHDR') return 'it has no IHDR chunk';
  for (let offset = 8; offset + 12 <= bytes.length; offset += 12 + bytes.readUInt32BE(offset)) {
    if (bytes.toString('latin1', offset + 4, offset + 8) !== 'IEND') continue;
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  return TRUNCATED;
}

/** Segments up to the frame header, then compressed data up to the end marker. Source: ITU-T T.81, annex B. */
function readJpeg(bytes: Buffer): Size | string {
  let offset = 2;
  while (offset + 4 <= bytes.length) {
    if (bytes[offset] !== 0xff) return 'a segment does not begin where the one before says';
    const marker = bytes[offset + 1] ?? 0;
    if (marker === 0xff) {
      offset += 1; // a fill byte
    } else if (isFrameHeader(marker)) {
      if (offset + 9 > bytes.length || bytes.lastIndexOf(Buffer.of(0xff, 0xd9)) < offset) return TRUNCATED;
      return { width: bytes.readUInt16BE(offset + 7), height: bytes.readUInt16BE(offset + 5) };
    } else if (marker === 0xda || marker === 0xd9) {
      return 'it has no frame header';
    } else {
      const hasNoLength = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
      offset += hasNoLength ? 2 : 2 + bytes.readUInt16BE(offset + 2);
    }
  }
  return TRUNCATED;
}

/** SOF0 to SOF15 without DHT, JPG and DAC, which lie among them. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Lossy, lossless and extended form. Source: WebP container specification, RFC 9649. */
function readWebp(bytes: Buffer): Size | string {
  if (bytes.length < 30 || bytes.readUInt32LE(4) + 8 > bytes.length) return TRUNCATED;
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    default:
      return 'it has no image chunk';
  }
}

/** A flag of the extended form says so. Source: RFC 9649, section 2.7. */
export function isAnimatedWebp(bytes: Buffer): boolean {
  return bytes.toString('latin1', 12, 16) === 'VP8X' && ((bytes[20] ?? 0) & 0x02) !== 0;
}

/** Source: GIF89a specification, section 18. */
function readGif(bytes: Buffer): Size | string {
  const trailer = 0x3b;
  if (bytes.length < 14 || bytes.lastIndexOf(trailer) < 13) return TRUNCATED;
  return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
}
