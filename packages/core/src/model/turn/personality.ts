import type { ModelInfo, Personality } from '@quire/protocol';
import { supportsPersonality } from '../../context/model-instructions.ts';

/** Where a model has personalities and nobody chose. Source: facts, instructions and personality. */
const DEFAULT_PERSONALITY: Personality = 'pragmatic';
const PERSONALITIES: readonly Personality[] = ['none', 'friendly', 'pragmatic'];

export interface PersonalityChoice {
  /** The feature `personality`. */
  readonly feature: boolean;
  readonly turn: Personality | undefined;
  readonly configured: Personality | undefined;
  /** Of a resumed thread's last turn, as it was written. */
  readonly stored: string | undefined;
}

/** The turn's, the configured, the thread's, the default where the model has personalities; nothing without the feature. */
export function resolvePersonality(model: ModelInfo, choice: PersonalityChoice): Personality | undefined {
  if (!choice.feature) return undefined;
  const stored = PERSONALITIES.find((known) => known === choice.stored);
  return choice.turn ?? choice.configured ?? stored ?? (supportsPersonality(model) ? DEFAULT_PERSONALITY : undefined);
}
