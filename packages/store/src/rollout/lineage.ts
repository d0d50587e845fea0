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

/** Forks of forks of forks: more than this is a circle. */
export const MAX_PARENTS = 64;

export function historyBase(meta: SessionMeta): HistoryBase | undefined {
  const raw = meta.history_base;
  if (!isJsonObject(raw)) return undefined;
  const threadId = stringAt(raw, 'thread_id');
  if (threadId === undefined) return undefined;
  return {
    threadId,
    endOffset: numberAt(raw, 'end_byte_offset'),
    endOrdinal: numberAt(raw, 'end_ordinal_exclusive'),
  };
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
export function findParent(base: HistoryBase, place: { readonly home: string; readonly file: string }): string {
  const { home, file } = place;
  const parent = findRolloutFile(home, base.threadId);
  if (parent !== undefined) return parent;
  throw new RolloutError(
    'no-parent',
    `${file} goes on from thread ${base.threadId}, which is not in ${home}: put the rollout of that thread back first`,
    { path: file },
  );
}
