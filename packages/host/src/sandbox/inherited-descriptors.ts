import { readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Whether this process was given descriptors that its children get too. The runtime marks the lower ones at its start,
 * and not those beyond a gap.
 */
export function hasInheritedDescriptors(): boolean {
  return readdirSync('/proc/self/fdinfo').some((name) => Number(name) > 2 && isInherited(name));
}

function isInherited(name: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // the one by which the folder was read
  }
}
