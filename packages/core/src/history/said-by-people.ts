import type { ResponseItem } from '@quire/protocol';
import { personalText, recogniseSummaries } from '../compaction/history-shape.ts';

/** What people said in a thread, as text alone, oldest first. */
export function saidByPeople(history: readonly ResponseItem[]): readonly string[] {
  const isSummary = recogniseSummaries([]);
  return history.flatMap((item) => personalText(item, isSummary) ?? []);
}
