import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGING_PREFIX } from './snapshot-store.ts';

const HOUR_MS = 60 * 60 * 1000;

/**
 * Removes what restores that were killed over an hour ago left in the top of a work tree. Those that hold originals of
 * the user's files stay, and their paths are returned.
 */
export async function clearInterruptedRestores(root: string): Promise<readonly string[]> {
  const names = await readdir(root).catch((): string[] => []);
  const kept: string[] = [];
  for (const name of names) {
    const suffix = name.startsWith(STAGING_PREFIX) ? name.slice(STAGING_PREFIX.length) : '';
    if (!/^[A-Za-z0-9]{6}$/.test(suffix)) continue; // not as `mkdtemp` names it
    const path = join(root, name);
    try {
      const stats = await lstat(path);
      if (!stats.isDirectory() || stats.mtimeMs > Date.now() - HOUR_MS) continue;
      if (await isDisposable(path)) await rm(path, { recursive: true, force: true });
      else kept.push(path);
    } catch {
      kept.push(path); // what can not be looked at or removed is named as well
    }
  }
  return kept.toSorted();
}

async function isDisposable(staging: string): Promise<boolean> {
  const parts = await readdir(staging);
  if (parts.some((part) => part !== 'new' && part !== 'old')) return false; // not ours
  if (!parts.includes('old')) return true;
  const entries = await readdir(join(staging, 'old'), { recursive: true, withFileTypes: true });
  return entries.every((entry) => entry.isDirectory());
}
