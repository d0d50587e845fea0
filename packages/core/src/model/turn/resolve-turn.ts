import type { ResolvedTurn, ThreadSettings } from '../../thread/settings.ts';
import { webSearchMode } from '../../tools/web-search/web-search-spec.ts';
import { allowedWebSearchMode } from './allowed-web-search.ts';
import { resolvePersonality } from './personality.ts';
import { effortNote, resolveReasoning } from './reasoning.ts';
import { resolveServiceTier } from './service-tier.ts';
import { resolveTools } from './tools.ts';
import { resolveVerbosity, verbosityNote } from './verbosity.ts';

/** What a turn is resolved from. The search follows the sandbox of the turn. */
export type TurnGround = Pick<ThreadSettings, 'model' | 'choices' | 'webSearch' | 'sandbox' | 'collaborationMode'>;

/** Everything that depends on the model and the choices, for one turn. */
export function resolveTurn(ground: TurnGround): ResolvedTurn {
  const { model, choices, sandbox } = ground;
  const effort = chosenEffort(ground);
  const summary = choices.reasoningSummary.turn ?? choices.reasoningSummary.configured;
  const { tier, note: tierNote } = resolveServiceTier(model, choices.serviceTier);
  const notes = [effortNote(model, effort), verbosityNote(model, choices.verbosity), tierNote];
  return {
    reasoningEffort: effort ?? model.defaultReasoningEffort,
    reasoningSummary: summary ?? model.defaultReasoningSummary,
    reasoning: resolveReasoning(model, { effort, summary }),
    verbosity: resolveVerbosity(model, choices.verbosity),
    personality: resolvePersonality(model, choices.personality),
    serviceTier: tier,
    webSearchMode: allowedWebSearchMode(webSearchMode(ground), {
      allowed: choices.allowedWebSearchModes,
      fullAccess: sandbox.mode === 'danger-full-access',
    }),
    tools: resolveTools(model, choices.tools),
    notes: notes.filter((note) => note !== undefined),
  };
}

/** Settings with everything in its place that follows from their model and choices; both may be other ones than before. */
export function resolveSettings(ground: Omit<ThreadSettings, keyof ResolvedTurn>): ThreadSettings {
  return { ...ground, ...resolveTurn(ground) };
}

function chosenEffort({ choices, collaborationMode }: TurnGround): string | undefined {
  const { turn, planMode, configured } = choices.reasoningEffort;
  return turn ?? (collaborationMode?.mode === 'plan' ? planMode : undefined) ?? configured;
}
