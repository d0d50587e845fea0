/** Width and height of inline images, read from the first bytes of the file without decoding the rest. */

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** A JPEG with more segments than this before its frame is given up. Real ones have some dozen. */
const MAX_JPEG_SEGMENTS = 2_000;

/** A number in the file: its first byte and how many bytes it takes. */
interface Field {
  readonly at: number;
  readonly length: number;
}

/** A file that is still base64 text; single bytes are decoded where they are looked at. */
class Base64File {
  readonly #text: string;
  readonly #start: number;

  constructor(text: string, start: number) {
    this.#text = text;
    this.#start = start;
  }

  /** NaN behind the end and where the text is no base64; arithmetic carries it on. */
  byte(index: number): number {
    const at = this.#start + Math.floor(index / 3) * 4 + (index % 3);
    const left = this.#digit(at);
    const right = this.#digit(at + 1);
    if (left === -1 || right === -1) return Number.NaN;
    const shift = (index % 3) * 2;
    return ((left << (2 + shift)) & 0xff) | (right >> (4 - shift));
  }

  #digit(at: number): number {
    const character = this.#text[at];
    return character === undefined ? -1 : ALPHABET.indexOf(character);
  }

  bigEndian({ at, length }: Field): number {
    let value = 0;
    for (let offset = 0; offset < length; offset += 1) value = value * 256 + this.byte(at + offset);
    return value;
  }

  littleEndian({ at, length }: Field): number {
    let value = 0;
    for (let offset = length - 1; offset >= 0; offset -= 1) value = value * 256 + this.byte(at + offset);
    return value;
  }

  startsWith(text: string, index = 0): boolean {
    for (let offset = 0; offset < text.length; offset += 1) {
      if (this.byte(index + offset) !== text.charCodeAt(offset)) return false;
    }
    return true;
  }
}

/**
 * Size of a PNG, JPEG, WebP or GIF whose base64 text begins at `start` of `url`. `undefined`: it is none of these,
 * or its header is damaged.
 */
export function imageSize(url: string, start: number): ImageSize | undefined {
  const file = new Base64File(url, start);
  const size = readSize(file);
  // A damaged header gives NaN or zero.
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

function readSize(file: Base64File): ImageSize | undefined {
  if (file.startsWith('\x89PNG\r\n\x1a\n'))
    return { width: file.bigEndian({ at: 16, length: 4 }), height: file.bigEndian({ at: 20, length: 4 }) };
  if (file.startsWith('GIF8'))
    return { width: file.littleEndian({ at: 6, length: 2 }), height: file.littleEndian({ at: 8, length: 2 }) };
  if (file.startsWith('RIFF') && file.startsWith('WEBP', /* index */ 8)) return webpSize(file);
  if (file.startsWith('\xff\xd8')) return jpegSize(file);
  return undefined;
}

/** Source: the container specification of WebP, its three kinds of first chunk. */
function webpSize(file: Base64File): ImageSize | undefined {
  if (file.startsWith('VP8X', /* index */ 12)) {
    return {
      width: 1 + file.littleEndian({ at: 24, length: 3 }),
      height: 1 + file.littleEndian({ at: 27, length: 3 }),
    };
  }
  if (file.startsWith('VP8L', /* index */ 12)) {
    const bits = file.littleEndian({ at: 21, length: 4 });
    if (Number.isNaN(bits)) return undefined;
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (file.startsWith('VP8 ', /* index */ 12)) {
    return {
      width: file.littleEndian({ at: 26, length: 2 }) & 0x3fff,
      height: file.littleEndian({ at: 28, length: 2 }) & 0x3fff,
    };
  }
  return undefined;
}

/** Walks the segments up to the frame header, which holds the size. Source: the JPEG standard, annex B. */
function jpegSize(file: Base64File): ImageSize | undefined {
  let at = 2;
  for (let segment = 0; segment < MAX_JPEG_SEGMENTS; segment += 1) {
    if (file.byte(at) !== 0xff) return undefined;
    const marker = file.byte(at + 1);
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame)
      return { width: file.bigEndian({ at: at + 7, length: 2 }), height: file.bigEndian({ at: at + 5, length: 2 }) };
    const length = file.bigEndian({ at: at + 2, length: 2 });
    if (!(length >= 2)) return undefined;
    at += 2 + length;
  }
  return undefined;
}
