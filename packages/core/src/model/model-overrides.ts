import type { ModelInfo } from '@quire/protocol';

/** What the configuration says of every model. */
export interface ModelOverrides {
  /** `model_context_window`, in tokens. */
  readonly contextWindow: number | undefined;
  /** `model_supports_reasoning_summaries`. */
  readonly supportsReasoningSummaries: boolean | undefined;
  /** Instructions of one's own: they hold for every model, and the model's messages no longer do. */
  readonly baseInstructions: string | undefined;
}

/** A model with the configured values in place of its own. The window stays within the largest one that the model has. */
export function withOverrides<Model extends ModelInfo>(model: Model, overrides: ModelOverrides): Model {
  const { contextWindow, supportsReasoningSummaries, baseInstructions } = overrides;
  const { modelMessages: _modelMessages, ...rest } = model;
  const limit = model.maxContextWindow ?? Number.POSITIVE_INFINITY;
  return {
    // Without its messages it is still all that `Model` requires: they are optional.
    ...((baseInstructions === undefined ? model : { ...rest, baseInstructions }) as Model),
    contextWindow: contextWindow === undefined ? model.contextWindow : Math.min(contextWindow, limit),
    supportsReasoningSummaries: supportsReasoningSummaries ?? model.supportsReasoningSummaries,
  };
}
