import type { ModelInfo } from '@quire/protocol';

/** Tokens of the window that may be used. Source: the peer; observed 258,400 of 272,000. */
export function effectiveContextWindow(model: ModelInfo): number | undefined {
  if (model.contextWindow === undefined) return undefined;
  return Math.floor((model.contextWindow * model.effectiveContextWindowPercent) / 100);
}
