import type { ResponseItem } from '@quire/protocol';
import { isContextual, isMixedDeveloperMessage, isUserTurnBoundary } from '../context/fragments.ts';
import { partnerIndex } from './call-pairs.ts';

/** The items without the first one and, when that is a call or an answer, without its partner. */
export function withoutOldest(items: readonly ResponseItem[]): readonly ResponseItem[] {
  const partner = partnerIndex(items, /* index */ 0);
  return items.filter((_, index) => index !== 0 && index !== partner);
}

export interface TurnCut {
  readonly items: readonly ResponseItem[];
  /** `false`: there was nothing to cut, and `items` is the same list. */
  readonly changed: boolean;
  /** Text went that only a full context tells again: nothing may be compared with the last settings any more. */
  readonly clearsBaseline: boolean;
}

/**
 * The items before the last `count` user turns. What the harness told directly before the first of those goes, too.
 * What stands before the first user turn of all always stays.
 */
export function withoutLastUserTurns(items: readonly ResponseItem[], count: number): TurnCut {
  const first = items.findIndex(isUserTurnBoundary);
  if (first === -1 || !(count >= 1)) return { items, changed: false, clearsBaseline: false };
  let cut = boundaryFromEnd(items, count, first);
  let clearsBaseline = false;
  for (; cut > first; cut -= 1) {
    const above = items[cut - 1];
    if (above === undefined || !isContextual(above)) break;
    clearsBaseline ||= isMixedDeveloperMessage(above);
  }
  return { items: items.slice(0, cut), changed: true, clearsBaseline };
}

/** Index of the `count`th boundary from the end, or of the first when there are fewer. */
function boundaryFromEnd(items: readonly ResponseItem[], count: number, first: number): number {
  let left = Math.floor(count);
  for (let index = items.length - 1; index > first; index -= 1) {
    const item = items[index];
    if (item === undefined || !isUserTurnBoundary(item)) continue;
    left -= 1;
    if (left === 0) return index;
  }
  return first;
}
