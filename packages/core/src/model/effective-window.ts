import type { ModelInfo } from '@quire/protocol';

/** Tokens of the window that may be used. Source: fact sheet "Usage accounting". */
export function effectiveContextWindow(model: ModelInfo): number | undefined {
  if (model.contextWindow === undefined) return undefined;
  return Math.floor((model.contextWindow * model.effectiveContextWindowPercent) / 100);
}
