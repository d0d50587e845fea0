import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemErrorCode } from '@quire/files';

/** As many as the system itself follows. */
const MAX_LINKS = 40;

/**
 * Where writing to `path` would really land: symbolic links of every existing part resolved, a link whose
 * target does not exist yet included. Rejects when links go in circles.
 */
export function resolveTarget(path: string): Promise<string> {
  return follow(resolve(path), { linksLeft: MAX_LINKS });
}

/** Like `resolveTarget`, but a link at the end stays: what deleting or renaming `path` would touch. */
export async function resolveEntry(path: string): Promise<string> {
  const absolute = resolve(path);
  return join(await resolveTarget(dirname(absolute)), basename(absolute));
}

async function follow(path: string, budget: { readonly linksLeft: number }): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = systemErrorCode(error);
    const parent = dirname(path);
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || parent === path || budget.linksLeft === 0) throw error;
    const realParent = await follow(parent, budget);
    const entry = join(realParent, basename(path));
    const target = await linkTarget(entry);
    if (target === undefined) return entry;
    return follow(resolve(realParent, target), { linksLeft: budget.linksLeft - 1 });
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    return undefined; // nothing there, so nothing to follow
  }
}
