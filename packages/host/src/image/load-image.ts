import { systemErrorCode } from '@quire/files';
import type { ImageFormat } from './image-header.ts';
import { type ImageErrorCode, type ImageProblem, reasonWithPath } from './image-problem.ts';

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

export interface LoadedImage {
  readonly format: ImageFormat;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** As the model takes it: `data:image/…;base64,…`. */
  readonly dataUrl: string;
}

/** Reads an image file as `view_image` does, made smaller if it is large. Rejects with `ImageError`. */
export async function loadImage(path: string): Promise<LoadedImage> {
  const [{ readImageFile }, { prepareImage }, { loadImageCodec }] = await Promise.all([
    import('./read-image-file.ts'),
    import('./prepare-image.ts'),
    import('./load-image-codec.ts'),
  ]);
  const file = await readImageFile(path);
  switch (file.kind) {
    case 'missing':
      throw missingError(path, file);
    case 'not-a-file':
      throw new ImageError('unreadable', path, { message: `${path} is not a file; give the path of an image file` });
    case 'problem':
      throw problemError(path, file);
  }
  const image = await prepareImage(file.bytes, 'fitted', await loadImageCodec());
  if (image.kind === 'problem') throw problemError(path, image);
  const { format, width, height, bytes } = image;
  return { format, width, height, dataUrl: `data:image/${format};base64,${bytes.toString('base64')}` };
}

function missingError(
  path: string,
  { reason, cause }: { readonly reason: string; readonly cause: unknown },
): ImageError {
  return systemErrorCode(cause) === 'ENOENT'
    ? new ImageError('not-found', path, { message: `there is no image ${path}; check the path`, cause })
    : new ImageError('unreadable', path, {
        message: `the image ${path} could not be read (${reason}); check its permissions`,
        cause,
      });
}

function problemError(path: string, problem: ImageProblem): ImageError {
  return new ImageError(problem.code, path, { message: reasonWithPath(problem, path) });
}
