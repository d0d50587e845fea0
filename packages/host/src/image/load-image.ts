import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { systemCode, systemReason } from '../system-reason.ts';
import { type ImageHeader, readImageHeader } from './image-header.ts';

const MEBIBYTE = 1024 * 1024;
export const IMAGE_MAX_BYTES = 20 * MEBIBYTE;

export type ImageErrorCode = 'not-found' | 'unreadable' | 'too-large' | 'unsupported' | 'damaged';

/** A file that can not be attached. The message is one line that names the file and the remedy. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code: ImageErrorCode;
  readonly path: string;

  constructor(code: ImageErrorCode, path: string, options: { readonly message: string; readonly cause?: unknown }) {
    super(options.message, { cause: options.cause });
    this.code = code;
    this.path = path;
  }
}

export interface LoadedImage extends ImageHeader {
  /** As the model takes it: `data:image/…;base64,…`. */
  readonly dataUrl: string;
}

/** Reads an image file as it is, without changing its size. Rejects with `ImageError`. */
export async function loadImage(path: string): Promise<LoadedImage> {
  const bytes = await readImageFile(path);
  const reading = readImageHeader(bytes);
  switch (reading.kind) {
    case 'unsupported':
      throw new ImageError('unsupported', path, {
        message: `${path} is not a PNG, JPEG, WebP or GIF image; convert it to one of these`,
      });
    case 'damaged':
      throw new ImageError('damaged', path, {
        message: `the ${reading.format.toUpperCase()} image ${path} is damaged (${reading.reason}); save it again`,
      });
    case 'image': {
      const dataUrl = `data:image/${reading.header.format};base64,${bytes.toString('base64')}`;
      return { ...reading.header, dataUrl };
    }
  }
}

async function readImageFile(path: string): Promise<Buffer> {
  try {
    // Opening a named pipe would wait for a writer otherwise.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) {
      throw new ImageError('unreadable', path, { message: `${path} is not a file; give the path of an image file` });
    }
    if (stats.size > IMAGE_MAX_BYTES) {
      const size = (stats.size / MEBIBYTE).toFixed(1);
      const limit = IMAGE_MAX_BYTES / MEBIBYTE;
      throw new ImageError('too-large', path, {
        message: `the image ${path} has ${size} MiB and the limit is ${limit} MiB; make it smaller`,
      });
    }
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    if (systemCode(cause) === 'ENOENT') {
      throw new ImageError('not-found', path, { message: `there is no image ${path}; check the path`, cause });
    }
    const message = `the image ${path} could not be read (${systemReason(cause)}); check its permissions`;
    throw new ImageError('unreadable', path, { message, cause });
  }
}
