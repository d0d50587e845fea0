import type { ModelInfo, Personality } from '@quire/protocol';
import type { ThreadSettings, WebSearchMode } from '../../thread/settings.ts';
import { webSearchMode } from '../../tools/web-search/web-search-spec.ts';
import { allowedWebSearchMode } from './allowed-web-search.ts';
import { acceptsImages, allowsOriginalImages } from './images.ts';
import { type PersonalityChoice, resolvePersonality } from './personality.ts';
import { effortNote, type Reasoning, resolveReasoning } from './reasoning.ts';
import { resolveServiceTier, type ServiceTierChoice } from './service-tier.ts';
import { resolveVerbosity, verbosityNote } from './verbosity.ts';

/** What was chosen, by whomever: for one turn, in the configuration, in features, in managed requirements. */
export interface TurnChoices {
  readonly reasoningEffort: { readonly turn: string | undefined; readonly configured: string | undefined };
  readonly reasoningSummary: { readonly turn: string | undefined; readonly configured: string | undefined };
  readonly verbosity: string | undefined;
  readonly personality: PersonalityChoice;
  readonly serviceTier: ServiceTierChoice;
  /** Of this turn, so that the search follows its sandbox. */
  readonly web: Pick<ThreadSettings, 'webSearch' | 'sandbox'>;
  readonly allowedWebSearchModes: readonly WebSearchMode[] | undefined;
  /** The feature that lets pictures through in their own size. */
  readonly originalImages: boolean;
}

/** What one turn works with. */
export interface ResolvedTurn {
  readonly reasoning: Reasoning | undefined;
  readonly verbosity: string | undefined;
  readonly personality: Personality | undefined;
  readonly serviceTier: string | undefined;
  readonly webSearch: WebSearchMode;
  readonly acceptsImages: boolean;
  readonly originalImages: boolean;
  /** Sentences about choices that have another effect than people may think. */
  readonly notes: readonly string[];
}

/** Everything that depends on the model and the choices, for one turn. */
export function resolveTurn(model: ModelInfo, choices: TurnChoices): ResolvedTurn {
  const effort = choices.reasoningEffort.turn ?? choices.reasoningEffort.configured;
  const summary = choices.reasoningSummary.turn ?? choices.reasoningSummary.configured;
  const { tier, note: tierNote } = resolveServiceTier(model, choices.serviceTier);
  const reasoning = resolveReasoning(model, { effort, summary });
  const notes = [
    reasoning === undefined ? undefined : effortNote(model, effort),
    verbosityNote(model, choices.verbosity),
    tierNote,
  ];
  return {
    reasoning,
    verbosity: resolveVerbosity(model, choices.verbosity),
    personality: resolvePersonality(model, choices.personality),
    serviceTier: tier,
    webSearch: allowedWebSearchMode(webSearchMode(choices.web), {
      allowed: choices.allowedWebSearchModes,
      fullAccess: choices.web.sandbox.mode === 'danger-full-access',
    }),
    acceptsImages: acceptsImages(model),
    originalImages: allowsOriginalImages(model, { feature: choices.originalImages }),
    notes: notes.filter((note) => note !== undefined),
  };
}
