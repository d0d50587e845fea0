import type { ModelInfo } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';
import { effectiveContextWindow } from './effective-window.ts';

/** Share of the raw window that the limit never exceeds, in percent. Source: the peer. */
const HIGHEST_LIMIT_PERCENT = 90;

type LimitSettings = Pick<ThreadSettings, 'model' | 'compaction'>;

/**
 * Tokens in the context at which the history is compacted: what is configured, else what the model says, and at
 * most 90 % of its window. `undefined`: neither a limit nor a window is known.
 *
 * @param configured tokens; 0 and less count as not configured
 */
export function autoCompactLimit(model: ModelInfo, configured: number | undefined): number | undefined {
  const chosen = positive(configured) ?? positive(model.autoCompactTokenLimit);
  const window = positive(model.contextWindow);
  if (window === undefined) return chosen;
  const highest = Math.floor((window * HIGHEST_LIMIT_PERCENT) / 100);
  return chosen === undefined ? highest : Math.min(chosen, highest);
}

function positive(tokens: number | undefined): number | undefined {
  return tokens !== undefined && tokens > 0 ? Math.floor(tokens) : undefined;
}

/** Whether the history has to be compacted before the next request. */
export function isContextLimitReached(settings: LimitSettings, activeTokens: number): boolean {
  const limit = autoCompactLimit(settings.model, settings.compaction.autoCompactTokenLimit);
  return limit !== undefined && activeTokens >= limit;
}

/**
 * Whether the previous model has to compact before the next one, with a smaller window, takes over: it can still
 * read what the next one can not.
 */
export function needsDownshiftCompaction({
  previous,
  next,
  activeTokens,
}: {
  readonly previous: LimitSettings;
  readonly next: LimitSettings;
  readonly activeTokens: number;
}): boolean {
  const previousWindow = previous.model.contextWindow;
  const nextWindow = next.model.contextWindow;
  if (previous.model.slug === next.model.slug || previousWindow === undefined || nextWindow === undefined) return false;
  if (previousWindow <= nextWindow) return false;
  const limit = autoCompactLimit(next.model, next.compaction.autoCompactTokenLimit);
  const usable = effectiveContextWindow(next.model);
  return (limit !== undefined && activeTokens > limit) || (usable !== undefined && activeTokens >= usable);
}
