import { resolve } from 'node:path';
import type { UserInput } from '@quire/protocol';
import { AgentError } from './agent-error.ts';

/**
 * Reads a local image for a turn's input.
 * @throws AgentError 'image' when the file can not be read or is no image that a model takes
 */
export async function loadImageInput(path: string): Promise<UserInput> {
  const { ImageError, loadImage } = await import('@quire/host');
  const absolute = resolve(path);
  try {
    const { dataUrl } = await loadImage(absolute);
    return { kind: 'image', url: dataUrl, path: absolute };
  } catch (error) {
    if (error instanceof ImageError) throw new AgentError('image', error.message, { cause: error });
    throw error;
  }
}
