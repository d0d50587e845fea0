/** Sections of a context update that need more than their tag. */
import type { Personality, ResponseItem } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';
import { javaScriptGuidance } from '../tools/javascript/tool-specs.ts';
import { fragmentsFromEnd, projectInstructionsSection, projectInstructionsText, wrapFragment } from './fragments.ts';
import {
  hasOwnInstructions,
  type ModelInstructions,
  modelInstructions,
  personalityText,
} from './model-instructions.ts';

/** What a model that takes over is told: its own instructions, else those that the thread has anyway. */
export function takeoverInstructions(settings: ThreadSettings): ModelInstructions {
  const { model, personality, baseInstructions, bakedPersonality } = settings;
  if (!hasOwnInstructions(model)) return { text: baseInstructions, bakedPersonality };
  // A personality that is not allowed was never put into the settings.
  return modelInstructions(model, { personality, personalityFeature: true });
}

export function modelSwitchSection(instructions: string): string {
  const introduction =
    'This thread was served by another model until now. Go on from where it stands, under these instructions:';
  return wrapFragment('model-switch', `\n${introduction}\n\n${instructions}\n`);
}

export function collaborationModeSection(settings: ThreadSettings): string | undefined {
  const instructions = settings.collaborationMode?.instructions;
  return instructions === undefined || instructions === ''
    ? undefined
    : wrapFragment('collaboration-mode', instructions);
}

/** `known`: the personality that the model speaks with already. */
export function personalitySection(
  settings: ThreadSettings,
  { known }: { readonly known: string | undefined },
): string | undefined {
  const { personality, model } = settings;
  if (personality === undefined || personality === known) return undefined;
  return wrapFragment('personality', personalityText(model, personality));
}

/**
 * How the model is to speak when the instructions that it works under do not say so. `none` takes something back;
 * where nothing was told there is nothing to take back.
 */
export function untoldPersonality(
  settings: ThreadSettings,
  { baked }: { readonly baked: Personality | undefined },
): string | undefined {
  const { personality, model } = settings;
  if (personality === undefined || personality === (baked ?? 'none')) return undefined;
  return personalityText(model, personality);
}

export function initialPersonalitySection(
  settings: ThreadSettings,
  options: { readonly baked: Personality | undefined },
): string | undefined {
  const text = untoldPersonality(settings, options);
  return text === undefined ? undefined : wrapFragment('personality', text);
}

const INSTRUCTIONS_ENDED = 'The project instructions given before no longer apply.';

/** The instructions; when there are none any more, that those in the history ended. */
export function instructionsSection(settings: ThreadSettings, history: readonly ResponseItem[]): string | undefined {
  const { cwd } = settings;
  const told = toldInstructions(settings);
  if (told !== undefined) return projectInstructionsSection(cwd, told);
  const [known] = fragmentsFromEnd(history, 'project-instructions');
  const isOver = known === undefined || projectInstructionsText(known) === INSTRUCTIONS_ENDED;
  return isOver ? undefined : projectInstructionsSection(cwd, INSTRUCTIONS_ENDED);
}

/** The same, unless the history ends with it already. */
export function changedInstructions(settings: ThreadSettings, history: readonly ResponseItem[]): string | undefined {
  const current = instructionsSection(settings, history);
  const told = toldInstructions(settings);
  if (told === undefined) return current;
  const [known] = fragmentsFromEnd(history, 'project-instructions');
  const undirected = projectInstructionsSection(/* cwd */ undefined, told);
  return known === current || known === undirected ? undefined : current;
}

/** What a tool needs to be told beside its description stands behind the instructions of the project. */
function toldInstructions({ projectInstructions, tools }: ThreadSettings): string | undefined {
  if (!tools.enabled.has('js_repl')) return projectInstructions;
  const guidance = javaScriptGuidance(tools);
  return projectInstructions === undefined ? guidance : `${projectInstructions}\n\n${guidance}`;
}
