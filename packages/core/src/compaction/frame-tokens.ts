import { estimateTextTokens } from '../history/estimate-tokens.ts';
import type { CompactionInput } from './compaction.ts';

/** What every request holds besides its history, in tokens by estimate. */
export function frameTokens({ settings, tools }: Pick<CompactionInput, 'settings' | 'tools'>): number {
  return estimateTextTokens(settings.baseInstructions) + estimateTextTokens(JSON.stringify(tools));
}
