export type ImageReading =
  | {
      readonly kind: 'image';
      readonly dataUrl: string;
      readonly width: number;
      readonly height: number;
      /** The bytes are those of the file. */
      readonly isOriginal: boolean;
    }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'not-a-file' }
  /** Not decodable, or beyond the limits. One line. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Pictures on disk, decoded and checked before they enter the history. */
export interface ImageReader {
  read(
    path: string,
    options: { readonly size: 'fitted' | 'original'; readonly signal: AbortSignal },
  ): Promise<ImageReading>;
}
