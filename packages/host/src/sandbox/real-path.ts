import { realpathSync } from 'node:fs';

/** All links resolved in one look; `undefined`: nothing is there, or it is being exchanged this very moment. */
export function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
