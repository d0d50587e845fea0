import type { ModelInfo } from '@quire/protocol';

/** Efforts from least to most. Others are words of one model and have no rank. */
const RANKS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra'];

/** The `reasoning` of a request. */
export interface Reasoning {
  readonly effort?: string;
  readonly summary?: string;
}

export interface ReasoningChoice {
  /** Chosen for this turn, or configured. */
  readonly effort: string | undefined;
  /** Configured. `none` leaves it out. */
  readonly summary: string | undefined;
}

/**
 * What is chosen, else what the model does by default; nothing for a model without summaries. A summary of `none` is
 * left out and the effort stays. Source: facts, per-turn resolution.
 */
export function resolveReasoning(model: ModelInfo, choice: ReasoningChoice): Reasoning | undefined {
  if (!model.supportsReasoningSummaries) return undefined;
  const effort = choice.effort ?? model.defaultReasoningEffort;
  const summary = choice.summary ?? model.defaultReasoningSummary;
  return { ...(effort === undefined ? {} : { effort }), ...(summary === 'none' ? {} : { summary }) };
}

/** A sentence for people when the model does not list the effort that was chosen, which is sent all the same, or takes none. */
export function effortNote(model: ModelInfo, effort: string | undefined): string | undefined {
  const known = model.supportedReasoningEfforts;
  if (effort !== undefined && !model.supportsReasoningSummaries) {
    return `${model.slug} takes no reasoning effort; ${effort} is left out.`;
  }
  if (effort === undefined || known.length === 0 || known.includes(effort)) return undefined;
  return `${model.slug} does not list the reasoning effort ${effort}, which is sent as it was chosen; it lists ${known.join(', ')}.`;
}

/**
 * The effort for a model that takes another one's place: the same if it is listed, else the nearest by rank, the first
 * of two that are as near; for a word without a rank the model's default.
 */
export function nearestEffort(
  model: {
    readonly reasoningLevels: readonly { readonly effort: string }[];
    readonly defaultReasoningEffort: string | undefined;
  },
  effort: string,
): string | undefined {
  const listed = model.reasoningLevels.map((level) => level.effort);
  if (listed.length === 0 || listed.includes(effort)) return effort;
  const rank = RANKS.indexOf(effort);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of rank === -1 ? [] : listed) {
    const candidateRank = RANKS.indexOf(candidate);
    const distance = candidateRank === -1 ? Number.POSITIVE_INFINITY : Math.abs(candidateRank - rank);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? model.defaultReasoningEffort;
}
