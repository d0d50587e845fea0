import type { ImageReader, ImageReading } from '@quire/core';
import { shortReason } from './image-problem.ts';
import type { ImageSizing, PreparedImage } from './prepare-image.ts';

/** Source: the peer. */
const CACHE_ENTRIES = 32;
/** Data URLs held, in characters. A picture of more than a quarter of this is not kept. */
const CACHE_CHARACTERS = 64 * 1024 * 1024;
/** A disk that does not answer, or a picture that takes too long. */
const TIMEOUT_MS = 60_000;

/** Reads pictures, one at a time: decoded they take far more memory than on disk. The decoder is loaded at the first. */
export function createImageReader(): ImageReader {
  return new CachingImageReader();
}

class CachingImageReader implements ImageReader {
  /** By content and sizing; the last used is the last. */
  readonly #cache = new Map<string, ImageReading & { readonly kind: 'image' }>();
  #characters = 0;
  #last: Promise<unknown> = Promise.resolve();

  async read(
    path: string,
    { size, signal }: { readonly size: ImageSizing; readonly signal: AbortSignal },
  ): Promise<ImageReading> {
    signal.throwIfAborted();
    const { waitFor } = await import('../process/abort.ts');
    const work = this.#last.then(() => {
      signal.throwIfAborted();
      return this.#read(path, size);
    });
    this.#last = work.catch(() => undefined); // whoever asked for it hears of it
    const reading = await waitFor(work, { timeoutMs: TIMEOUT_MS, signal });
    return reading.kind === 'done'
      ? reading.value
      : { kind: 'unusable', reason: `it could not be read and decoded within ${TIMEOUT_MS / 1000} seconds` };
  }

  async #read(path: string, size: ImageSizing): Promise<ImageReading> {
    const [{ readImageFile }, { createHash }] = await Promise.all([
      import('./read-image-file.ts'),
      import('node:crypto'),
    ]);
    const file = await readImageFile(path);
    if (file.kind === 'missing') return { kind: 'missing', reason: file.reason };
    if (file.kind === 'not-a-file') return file;
    if (file.kind === 'problem') return { kind: 'unusable', reason: shortReason(file) };
    const key = `${size} ${createHash('sha256').update(file.bytes).digest('base64')}`;
    const known = this.#cache.get(key);
    if (known !== undefined) {
      this.#cache.delete(key);
      this.#cache.set(key, known);
      return known;
    }
    const [{ prepareImage }, { loadImageCodec }] = await Promise.all([
      import('./prepare-image.ts'),
      import('./load-image-codec.ts'),
    ]);
    const image = await prepareImage(file.bytes, size, await loadImageCodec());
    if (image.kind === 'problem') return { kind: 'unusable', reason: shortReason(image) };
    return this.#remember(key, image);
  }

  #remember(key: string, { format, width, height, bytes, isOriginal }: PreparedImage): ImageReading {
    const dataUrl = `data:image/${format};base64,${bytes.toString('base64')}`;
    const reading = { kind: 'image', dataUrl, width, height, isOriginal } as const;
    if (dataUrl.length > CACHE_CHARACTERS / 4) return reading;
    this.#cache.set(key, reading);
    this.#characters += dataUrl.length;
    for (const [oldest, { dataUrl: url }] of this.#cache) {
      if (this.#cache.size <= CACHE_ENTRIES && this.#characters <= CACHE_CHARACTERS) break;
      this.#cache.delete(oldest);
      this.#characters -= url.length;
    }
    return reading;
  }
}
