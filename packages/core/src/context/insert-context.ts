import type { ResponseItem } from '@quire/protocol';
import { isUserTurnBoundary, isWorkLedger } from './fragments.ts';

/**
 * A compacted history with the context put in: before the last message of a person; without one before the
 * summary; without any user message before the last compaction item; else at the end. A ledger stays next to
 * what it stands before. Source: compaction facts.
 */
export function insertContext(
  items: readonly ResponseItem[],
  context: readonly ResponseItem[],
  isSummary: (item: ResponseItem) => boolean,
): readonly ResponseItem[] {
  const index = insertionIndex(items, isSummary);
  return [...items.slice(0, index), ...context, ...items.slice(index)];
}

function insertionIndex(items: readonly ResponseItem[], isSummary: (item: ResponseItem) => boolean): number {
  const lastMessage = items.findLastIndex((item) => isUserTurnBoundary(item) && !isSummary(item));
  if (lastMessage >= 0) return lastMessage;
  const summary = items.findLastIndex(isSummary);
  const anchor = summary >= 0 ? summary : items.findLastIndex(isCompactionItem);
  if (anchor < 0) return items.length;
  const before = items[anchor - 1];
  return before !== undefined && isWorkLedger(before) ? anchor - 1 : anchor;
}

function isCompactionItem({ type }: ResponseItem): boolean {
  return type === 'compaction' || type === 'compaction_summary' || type === 'context_compaction';
}
