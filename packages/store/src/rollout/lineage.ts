import { isJsonObject, numberAt, type SessionMeta, stringAt } from '@quire/protocol';
import type { LineStart } from './decode-line.ts';
import { findRolloutFile } from './find-rollout.ts';
import { RolloutError } from './rollout-error.ts';

/**
 * The part of a parent's record that a fork by reference begins with, instead of a copy of it.
 * Source: files of the peer, 0.169.
 */
export interface HistoryBase {
  /** Id of the parent's file: of most files that is the thread's id. */
  readonly threadId: string;
  /** Bytes from the start of the parent's file. */
  readonly endOffset: number | undefined;
  /** The number of the first line that the fork does not have. */
  readonly endOrdinal: number | undefined;
}

/** Forks of forks of forks. */
const MAX_PARENTS = 64;

function historyBase(meta: SessionMeta, file: string): HistoryBase | undefined {
  const raw = meta.history_base;
  if (!isJsonObject(raw)) return undefined;
  const threadId = stringAt(raw, 'thread_id');
  if (threadId === undefined) return undefined;
  const endOffset = raw['end_byte_offset'] ?? undefined;
  if (endOffset !== undefined && !isOffset(endOffset)) {
    throw notReadable(file, `its header says that its parent ends at byte ${JSON.stringify(endOffset)}`);
  }
  return { threadId, endOffset, endOrdinal: numberAt(raw, 'end_ordinal_exclusive') };
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/**
 * How many bytes of a file are read.
 * @param base what its fork took of it; `undefined`: all
 * @throws RolloutError 'not-readable' when the fork took more than there is
 */
export function segmentEnd(
  file: string,
  part: { readonly size: number; readonly base: HistoryBase | undefined },
): number {
  const end = part.base?.endOffset ?? part.size;
  if (end <= part.size) return end;
  throw notReadable(file, `a thread that goes on from it took ${end} bytes of it, and it has ${part.size}`);
}

/** The files of one thread, its own first. */
export class Lineage {
  readonly #home: string;
  readonly #visited = new Set<string>();

  constructor(home: string) {
    this.#home = home;
  }

  /**
   * What `file` goes on from; `undefined` when it begins by itself.
   * @param meta header of `file`
   * @throws RolloutError 'no-parent', 'not-readable'
   */
  parentOf(file: string, meta: SessionMeta): { readonly file: string; readonly base: HistoryBase } | undefined {
    const base = historyBase(meta, file);
    if (base === undefined) return undefined;
    this.#visited.add(file);
    const parent = findParent(base, { home: this.#home, file });
    if (this.#visited.has(parent)) throw notReadable(file, `it goes on from ${parent}, which goes on from it`);
    if (this.#visited.size > MAX_PARENTS) throw notReadable(file, `there are more than ${MAX_PARENTS} files behind it`);
    return { file: parent, base };
  }
}

/** Whether a fork has this line of its parent. */
export function isBeforeFork(base: HistoryBase | undefined, line: LineStart | undefined): boolean {
  const ordinal = line?.ordinal;
  return base?.endOrdinal === undefined || ordinal === undefined || ordinal < base.endOrdinal;
}

/**
 * @param place.file the fork
 * @throws RolloutError 'no-parent'
 */
function findParent(base: HistoryBase, place: { readonly home: string; readonly file: string }): string {
  const { home, file } = place;
  const parent = findRolloutFile(home, base.threadId);
  if (parent !== undefined) return parent;
  throw new RolloutError(
    'no-parent',
    `${file} goes on from thread ${base.threadId}, which is not in ${home}: put the rollout of that thread back first`,
    { path: file },
  );
}

function notReadable(file: string, reason: string): RolloutError {
  return new RolloutError('not-readable', `${file} can not be read: ${reason}`, { path: file });
}
