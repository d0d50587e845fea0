import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@quire/files';
import type { BytePath } from './byte-path.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** What git does not keep of a work tree. */
export interface SnapshotRecord {
  /** What was there and is not in the snapshot, for a restore to leave alone. Directories end in `/`. */
  readonly leftOut: readonly BytePath[];
  /** Permissions of files that have not the usual ones. */
  readonly modes: ReadonlyMap<BytePath, number>;
}

const VERSION = 1;

export function formatRecord(record: SnapshotRecord): string {
  const { leftOut } = record;
  return JSON.stringify({ version: VERSION, leftOut: leftOut.toSorted(), modes: [...record.modes].toSorted(byPath) });
}

/** @throws Error when it was written by another version or is damaged */
export function parseRecord(text: string): SnapshotRecord {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'leftOut' in parsed && 'modes' in parsed) {
    const { leftOut, modes } = parsed;
    if (Array.isArray(leftOut) && leftOut.every((path) => typeof path === 'string') && isModes(modes)) {
      return { leftOut, modes: new Map(modes) };
    }
  }
  throw new Error('the record of the snapshot has another form');
}

function isModes(value: unknown): value is [BytePath, number][] {
  return (
    Array.isArray(value) &&
    value.every((entry) => Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number')
  );
}

function byPath(a: readonly [BytePath, number], b: readonly [BytePath, number]): number {
  return a[0] < b[0] ? -1 : 1;
}

/** What a new file gets that can or can not be executed as this one. It is not worth a note. */
export function usualMode(mode: number, umask: number): number {
  return ((mode & 0o100) === 0 ? 0o666 : 0o777) & ~umask;
}

/** Files that were not looked at since the last snapshot have the permissions they had then. */
export async function updateModes(
  store: SnapshotStore,
  seen: ReadonlyMap<BytePath, number | undefined>,
  options: { readonly continues: boolean },
): Promise<Map<BytePath, number>> {
  const modes = options.continues ? await readModes(store) : new Map<BytePath, number>();
  const umask = process.umask();
  for (const [path, mode] of seen) {
    if (mode === undefined || mode === usualMode(mode, umask)) modes.delete(path);
    else modes.set(path, mode);
  }
  return modes;
}

/** Kept beside the index, for the next snapshot. */
export function keepModes(store: SnapshotStore, modes: ReadonlyMap<BytePath, number>): Promise<void> {
  return replaceFile(join(store.directory, 'modes'), JSON.stringify([...modes]), { mayBeLost: true });
}

/** @throws Error when there are none or they are damaged: the index beside them is then of no use */
async function readModes(store: SnapshotStore): Promise<Map<BytePath, number>> {
  const parsed: unknown = JSON.parse(await readFile(join(store.directory, 'modes'), 'utf8'));
  if (!isModes(parsed)) throw new Error('the permissions kept with the last snapshot have another form');
  return new Map(parsed);
}
