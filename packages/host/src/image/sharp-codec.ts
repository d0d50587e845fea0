import { fitWithin, type ImageCodec, JPEG_QUALITY, type PixelSize } from './image-codec.ts';

/** 268 million would be 1 GB in memory. Room for what telephones make. */
const MAX_PIXELS = 64 * 1024 * 1024;
/** A picture may be made so that it decodes for minutes. */
const TIMEOUT_SECONDS = 20;

/** Rejects when the package is not installed or has no program for this machine. */
export async function loadSharpCodec(): Promise<ImageCodec> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false); // no picture is decoded twice
  const decode = (bytes: Buffer) =>
    sharp(bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS, pages: 1, sequentialRead: true })
      .timeout({ seconds: TIMEOUT_SECONDS })
      .autoOrient();

  const measure = async (bytes: Buffer): Promise<PixelSize> => {
    // Its limit would refuse to tell.
    const { autoOrient } = await sharp(bytes, { limitInputPixels: false, pages: 1 }).metadata();
    return autoOrient;
  };
  return {
    maxPixels: MAX_PIXELS,
    readsForeignFormats: true,
    measure,
    check: async (bytes) => {
      await decode(bytes).resize(32, 32, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
    },
    convert: async (bytes, { format, within }) => {
      const { width, height } = fitWithin(await measure(bytes), within);
      const upright = decode(bytes).toColourspace('srgb').resize(width, height, { fit: 'fill', kernel: 'linear' });
      const encoded = format === 'jpeg' ? upright.jpeg({ quality: JPEG_QUALITY }) : upright.png();
      const { data, info } = await encoded.toBuffer({ resolveWithObject: true });
      return { bytes: data, width: info.width, height: info.height };
    },
  };
}
