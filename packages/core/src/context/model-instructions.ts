import type { ModelInfo, Personality } from '@quire/protocol';
import { BASE_INSTRUCTIONS } from './base-instructions.ts';

const PLACEHOLDER = '{{ personality }}';

export interface ModelInstructions {
  readonly text: string;
  /** The personality that `text` speaks for already, so it need not be told. */
  readonly bakedPersonality: Personality | undefined;
  /** For the log: a personality was asked for that these instructions have no place for. */
  readonly note?: string;
}

/** Whether the model brings all that a choice of personality needs. */
export function supportsPersonality(model: ModelInfo): boolean {
  const messages = model.modelMessages;
  return (
    messages?.instructionsTemplate?.includes(PLACEHOLDER) === true &&
    messages.personalityDefault !== undefined &&
    messages.personalityFriendly !== undefined &&
    messages.personalityPragmatic !== undefined
  );
}

/** Whether there is anything to tell that is this model's own. */
export function hasOwnInstructions(model: ModelInfo): boolean {
  return model.modelMessages?.instructionsTemplate !== undefined || model.baseInstructions !== undefined;
}

/**
 * The base instructions for a thread that begins with `model`: its template with a personality in every place
 * for one, else its plain text, else the general text. Source: model message facts.
 */
export function modelInstructions(
  model: ModelInfo,
  options: {
    readonly personality: Personality | undefined;
    /** Off: the default personality fills the template, whatever was asked for. */
    readonly personalityFeature: boolean;
  },
): ModelInstructions {
  const personality = options.personalityFeature ? options.personality : undefined;
  const template = model.modelMessages?.instructionsTemplate;
  const hasPlace = template?.includes(PLACEHOLDER) === true;
  const filling = hasPlace ? templateVariable(model, personality) : '';
  const text = template?.replaceAll(PLACEHOLDER, () => filling) ?? model.baseInstructions ?? BASE_INSTRUCTIONS;
  if (personality === undefined) return { text, bakedPersonality: undefined };
  // Without a place for one there is no personality in the text, which is what `none` asks for.
  if (personality === 'none' || filling !== '') return { text, bakedPersonality: personality };
  const note = `the instructions of ${model.slug} have no ${personality} personality; it is told in a message of its own`;
  return { text, bakedPersonality: undefined, note };
}

/** What fills the template; a missing variable is the empty string. */
function templateVariable(model: ModelInfo, personality: Personality | undefined): string {
  const messages = model.modelMessages;
  switch (personality) {
    case undefined:
      return messages?.personalityDefault ?? '';
    case 'none':
      return '';
    case 'friendly':
      return messages?.personalityFriendly ?? '';
    case 'pragmatic':
      return messages?.personalityPragmatic ?? '';
  }
}

/** For models that have no words of their own. */
const PERSONALITY_TEXTS: Readonly<Record<Personality, string>> = {
  none: 'From now on speak without any particular personality: neutral, plain, to the point.',
  friendly:
    'Speak as a warm, patient colleague: encourage, explain why, admit doubt openly, and ask kindly when something is unclear. Being friendly never outranks being right.',
  pragmatic:
    'Speak as a direct, practical engineer: the result first, then the reasons that matter, no praise and no padding. Name risks and disagreements plainly.',
};

/** How the model is to speak, for a message of its own. */
export function personalityText(model: ModelInfo, personality: Personality): string {
  const own = templateVariable(model, personality);
  return own === '' ? PERSONALITY_TEXTS[personality] : own;
}
