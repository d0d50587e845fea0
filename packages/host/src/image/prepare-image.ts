import type { ImageCodec, PixelSize } from './image-codec.ts';
import { fitWithin } from './image-codec.ts';
import { type ImageFormat, isAnimatedWebp, readImageHeader } from './image-header.ts';
import { type ImageProblem, imageProblem } from './image-problem.ts';
import { tooLarge } from './read-image-file.ts';

/** What a fitted picture has at most, in pixels. Source: the peer. */
const FITTED_SIZE: PixelSize = { width: 2_048, height: 768 };
/** Of the picture that is handed on: it is part of every later request. */
const MAX_SENT_BYTES = 20 * 1024 * 1024;

export interface PreparedImage extends PixelSize {
  readonly kind: 'image';
  readonly format: ImageFormat;
  readonly bytes: Buffer;
  /** The bytes are those that were given. */
  readonly isOriginal: boolean;
}

export type ImageSizing = 'fitted' | 'original';

/** What is known of a picture before it is decoded. */
interface Source {
  readonly bytes: Buffer;
  /** Absent: a format that only the codec knows. */
  readonly format: ImageFormat | undefined;
  readonly size: PixelSize;
}

/**
 * Makes a picture ready for a model: checked to the last pixel, because a provider that refuses one image refuses every
 * later request of the thread. PNG, JPEG and WebP stay as they are when their size allows it; what must be made smaller
 * becomes JPEG if it was one, else PNG, like everything else. Of animations the first picture is taken.
 *
 * @param codec `undefined`: none is installed; then what needs no change is checked by its structure
 */
export async function prepareImage(
  bytes: Buffer,
  sizing: ImageSizing,
  codec: ImageCodec | undefined,
): Promise<PreparedImage | ImageProblem> {
  const source = await inspect(bytes, codec);
  if ('kind' in source) return source;
  const { format } = source;
  const within = sizing === 'fitted' ? FITTED_SIZE : undefined;
  const isKept =
    fitWithin(source.size, within) === source.size &&
    (format === 'png' || format === 'jpeg' || (format === 'webp' && !isAnimatedWebp(bytes)));
  try {
    if (isKept && bytes.length <= MAX_SENT_BYTES) {
      await codec?.check(bytes);
      return { kind: 'image', format, ...source.size, bytes, isOriginal: true };
    }
    if (codec === undefined) return isKept ? tooLarge(bytes.length, MAX_SENT_BYTES) : unconvertible(source);
    const target = format === 'jpeg' ? 'jpeg' : 'png';
    const made = await codec.convert(bytes, { format: target, within });
    if (made.bytes.length > MAX_SENT_BYTES) return tooLarge(made.bytes.length, MAX_SENT_BYTES);
    return { kind: 'image', format: target, ...made, isOriginal: false };
  } catch (error) {
    return damaged(format, decoderReason(error));
  }
}

/** Refuses what is no picture, and what would need too much memory, before anything is decoded. */
async function inspect(bytes: Buffer, codec: ImageCodec | undefined): Promise<Source | ImageProblem> {
  const reading = readImageHeader(bytes);
  if (reading.kind === 'damaged') return damaged(reading.format, reading.reason);
  if (reading.kind === 'unsupported' && !(codec?.readsForeignFormats === true && isForeignFormat(bytes))) {
    return imageProblem(
      'unsupported',
      (file) => `${file} is not a PNG, JPEG, WebP or GIF image; convert it to one of these`,
    );
  }
  const format = reading.kind === 'image' ? reading.header.format : undefined;
  if (reading.kind === 'image') {
    const { width, height } = reading.header;
    const problem = tooManyPixels({ width, height }, codec);
    if (problem !== undefined || codec === undefined) return problem ?? { bytes, format, size: { width, height } };
  }
  try {
    const size = await codec?.measure(bytes);
    if (size === undefined) return damaged(format, 'its size is unknown');
    return tooManyPixels(size, codec) ?? { bytes, format, size };
  } catch (error) {
    return damaged(format, decoderReason(error));
  }
}

/** TIFF and AVIF. Others are not given to a decoder: SVG, for one, is a program that may name other files. */
function isForeignFormat(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12);
  return start.startsWith('II*\0') || start.startsWith('MM\0*') || /^....ftypavif/s.test(start);
}

/** Without a codec nothing is decoded here, and the limit is that of the larger codec. */
function tooManyPixels({ width, height }: PixelSize, codec: ImageCodec | undefined): ImageProblem | undefined {
  const limit = codec?.maxPixels ?? 64 * 1024 * 1024;
  if (width * height <= limit) return undefined;
  const [count, most] = [width * height, limit].map((pixels) => Math.ceil(pixels / 1e6));
  return imageProblem(
    'too-large',
    (file) =>
      `${file} has ${width} x ${height} pixels (${count} million) and the limit is ${most} million; make it smaller`,
  );
}

function damaged(format: ImageFormat | undefined, reason: string): ImageProblem {
  const name = format === undefined ? 'the image' : `the ${format.toUpperCase()} image`;
  return imageProblem('damaged', (file) => `${file} is damaged (${reason}); save it again`, name);
}

/** Decoders say more than one line about some files. */
function decoderReason(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.split('\n')[0] ?? words;
}

function unconvertible({ format, size: { width, height } }: Source): ImageProblem {
  const { width: most, height: highest } = FITTED_SIZE;
  return imageProblem(
    'unsupported',
    (file) =>
      `${file} is a ${format?.toUpperCase()} of ${width} x ${height} pixels, and converting images needs the optional package sharp, which is not installed; ` +
      `save it as a PNG or JPEG of at most ${most} x ${highest} pixels`,
  );
}
