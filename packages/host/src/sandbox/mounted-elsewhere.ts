import { readdirSync, readlinkSync } from 'node:fs';
import { readMounts } from './mount-points.ts';

/**
 * Those of `paths` at which something is mounted for another running process: one that a command left behind, or a
 * command of another program. Without `/proc` nothing is found.
 */
export function findMountedElsewhere(paths: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  if (paths.length === 0) return found;
  const seen = new Set([namespaceOf('self')]);
  for (const pid of processIds()) {
    const namespace = namespaceOf(pid);
    if (namespace !== undefined && seen.has(namespace)) continue;
    seen.add(namespace ?? pid);
    const mounts = readMounts(pid);
    for (const path of paths) if (mounts.includes(` ${encodeMountPath(path)} `)) found.add(path);
  }
  return found;
}

/** Blanks, tabs, newlines and backslashes are written in octal. Source: proc(5). */
function encodeMountPath(path: string): string {
  return path.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function processIds(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // no /proc here
  }
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined; // gone, or not to be looked into
  }
}
