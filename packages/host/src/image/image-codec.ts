export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** Decodes and encodes pictures. Everything rejects when the picture is damaged, with what is wrong as the message. */
export interface ImageCodec {
  /** Pictures with more pixels are not given to it. */
  readonly maxPixels: number;
  /** The first four bytes may say anything but the formats that `readImageHeader` knows. */
  readonly readsForeignFormats: boolean;
  /** The size as it is shown, with the orientation that the camera noted. Reads no more than the header. */
  measure(bytes: Buffer): Promise<PixelSize>;
  /** Decodes every pixel. */
  check(bytes: Buffer): Promise<void>;
  /** The first picture of an animation, upright, made to fit into `within` if it is larger. */
  convert(
    bytes: Buffer,
    options: { readonly format: 'png' | 'jpeg'; readonly within: PixelSize | undefined },
  ): Promise<PixelSize & { readonly bytes: Buffer }>;
}

/** Source: the peer. */
export const JPEG_QUALITY = 85;

/** The largest size with the same ratio inside of `within`; never larger than it is. Source: the peer. */
export function fitWithin(size: PixelSize, within: PixelSize | undefined): PixelSize {
  const ratio = within === undefined ? 1 : Math.min(1, within.width / size.width, within.height / size.height);
  if (ratio === 1) return size;
  const scale = (length: number): number => Math.max(1, Math.round(length * ratio));
  return { width: scale(size.width), height: scale(size.height) };
}
