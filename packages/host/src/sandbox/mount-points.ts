import { lstatSync, readFileSync } from 'node:fs';

/** Where something is mounted below one of `folders`, not at it. Without `/proc` nothing is found. */
export function mountPointsBelow(folders: readonly string[]): readonly string[] {
  const points = readMounts('self')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  const isNamed = new Set(folders);
  return points.filter((path) => !isNamed.has(path) && folders.some((folder) => isBelow(folder, path)));
}

/** `DEVICE:INODE:PATH` of those that can be seen. */
export function identify(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    try {
      const { dev, ino } = lstatSync(path, { bigint: true });
      return [`${dev}:${ino}:${path}`];
    } catch {
      return []; // gone, or closed to us
    }
  });
}

/** The table of mounts that a process has, as the system writes it; empty without `/proc`, or when it is gone. */
export function readMounts(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  } catch {
    return '';
  }
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder === '/' ? folder : `${folder}/`);
}
