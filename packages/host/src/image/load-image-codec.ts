import type { ImageCodec } from './image-codec.ts';

/** The best of the optional packages that are installed and run on this machine. */
export async function loadImageCodec(): Promise<ImageCodec | undefined> {
  const candidates = [
    async () => (await import('./sharp-codec.ts')).loadSharpCodec(),
    async () => (await import('./photon-codec.ts')).loadPhotonCodec(),
  ];
  for (const load of candidates) {
    try {
      return await load();
    } catch {
      // not installed, or not for this machine: the next one
    }
  }
  return undefined;
}
