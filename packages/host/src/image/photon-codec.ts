import { fitWithin, type ImageCodec, JPEG_QUALITY } from './image-codec.ts';

/** It works in this very thread, and a million pixels take up to a quarter of a second. */
const MAX_PIXELS = 10 * 1024 * 1024;

/** A stand-in for sharp: it needs no program of the machine, but knows nothing of a camera's orientation. */
export async function loadPhotonCodec(): Promise<ImageCodec> {
  const { default: photon } = await import('@silvia-odwyer/photon-node');
  const open = (bytes: Buffer) => {
    try {
      return photon.PhotonImage.new_from_byteslice(bytes);
    } catch (cause) {
      throw new Error('it can not be decoded', { cause });
    }
  };
  const use = <Result>(bytes: Buffer, work: (image: ReturnType<typeof open>) => Result): Result => {
    const image = open(bytes);
    try {
      return work(image);
    } finally {
      image.free();
    }
  };
  return {
    maxPixels: MAX_PIXELS,
    readsForeignFormats: false,
    measure: async (bytes) => use(bytes, (image) => ({ width: image.get_width(), height: image.get_height() })),
    check: async (bytes) => use(bytes, () => undefined),
    convert: async (bytes, { format, within }) =>
      use(bytes, (image) => {
        const { width, height } = fitWithin({ width: image.get_width(), height: image.get_height() }, within);
        const resized = photon.resize(image, width, height, photon.SamplingFilter.Triangle);
        try {
          const encoded = format === 'jpeg' ? resized.get_bytes_jpeg(JPEG_QUALITY) : resized.get_bytes();
          return { bytes: Buffer.from(encoded), width, height };
        } finally {
          resized.free();
        }
      }),
  };
}
