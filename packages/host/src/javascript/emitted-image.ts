import type { CellImage } from '@quire/core';
import { readImageHeader } from '../image/image-header.ts';

/** Of one cell together, as they arrive. */
const MAX_IMAGES = 32;
const MAX_LENGTH = 30 * 1024 * 1024;

export type EmissionVerdict =
  | { readonly kind: 'taken'; readonly image: CellImage }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Checks a picture before it can enter the history: a provider that refuses one image refuses every later request of
 * the thread. What it is said to be does not count; its bytes do.
 */
export function checkEmittedImage(
  emitted: { readonly imageUrl: string; readonly detail: string | undefined },
  earlier: readonly CellImage[],
): EmissionVerdict {
  const { imageUrl, detail } = emitted;
  const length = earlier.reduce((sum, { url }) => sum + url.length, imageUrl.length);
  if (earlier.length >= MAX_IMAGES) return refused(`a cell can emit ${MAX_IMAGES} images`);
  if (length > MAX_LENGTH) return refused('the images of a cell are over 30 MiB together');
  const base64 = /^data:[^,;]*(?:;[^,;]*)*;base64,/i.exec(imageUrl)?.[0];
  if (base64 === undefined) return refused('an image is given as bytes or as a base64 data URL');
  const bytes = Buffer.from(imageUrl.slice(base64.length), 'base64');
  const reading = readImageHeader(bytes);
  if (reading.kind === 'unsupported') return refused('this is not a PNG, JPEG, WebP or GIF image');
  if (reading.kind === 'damaged') return refused(`this ${reading.format} image is damaged: ${reading.reason}`);
  const url = `data:image/${reading.header.format};base64,${bytes.toString('base64')}`;
  return { kind: 'taken', image: { url, detail } };
}

function refused(reason: string): EmissionVerdict {
  return { kind: 'refused', reason };
}
