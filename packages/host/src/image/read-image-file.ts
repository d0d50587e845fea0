import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { systemReason } from '../system-reason.ts';
import { type ImageProblem, imageProblem } from './image-problem.ts';

const MEBIBYTE = 1024 * 1024;
/** Of a file that is looked at. */
export const IMAGE_MAX_BYTES = 50 * MEBIBYTE;

export type ImageFileReading =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'missing'; readonly reason: string; readonly cause: unknown }
  | { readonly kind: 'not-a-file' }
  | ImageProblem;

export async function readImageFile(path: string): Promise<ImageFileReading> {
  try {
    // Asked before it is opened: opening a device may do something, opening a pipe may wait.
    if (!(await stat(path)).isFile()) return { kind: 'not-a-file' };
  } catch (cause) {
    return { kind: 'missing', reason: systemReason(cause), cause };
  }
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = await file.stat();
    if (!stats.isFile()) return { kind: 'not-a-file' };
    return stats.size > IMAGE_MAX_BYTES ? tooLarge(stats.size) : { kind: 'bytes', bytes: await file.readFile() };
  } catch (cause) {
    const why = systemReason(cause);
    return imageProblem('unreadable', (file) => `${file} could not be read (${why}); check its permissions`);
  }
}

export function tooLarge(bytes: number, limitBytes: number = IMAGE_MAX_BYTES): ImageProblem {
  const size = (bytes / MEBIBYTE).toFixed(1);
  const limit = limitBytes / MEBIBYTE;
  return imageProblem('too-large', (file) => `${file} has ${size} MiB and the limit is ${limit} MiB; make it smaller`);
}
