import type { MessageItem, ResponseItem, TurnContextLine } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';
import { contextDifference } from './context-difference.ts';
import { environmentSection } from './environment.ts';
import { updateMessages } from './fragments.ts';
import { permissionsSection } from './permissions.ts';
import {
  collaborationModeSection,
  initialPersonalitySection,
  instructionsSection,
  modelSwitchSection,
  takeoverInstructions,
} from './sections.ts';

export { turnContextLine } from './turn-context-line.ts';

/**
 * What a turn tells the model before the user's message: at most one developer message, then at most one
 * contextual user message. Without a baseline everything, with one only what changed since.
 */
export function contextMessages(
  settings: ThreadSettings,
  known: {
    readonly baseline: TurnContextLine | undefined;
    /** Of the last regular turn. Default: the baseline's. */
    readonly previousModel?: string | undefined;
    readonly history: readonly ResponseItem[];
  },
): readonly MessageItem[] {
  const { baseline, history } = known;
  if (baseline === undefined) return initialContext(settings, { previousModel: known.previousModel, history });
  const previousModel = known.previousModel ?? baseline.model;
  return contextDifference(settings, { baseline, previousModel, history });
}

/** Everything that a model must be told to work in a thread, beside the base instructions. */
export function initialContext(
  settings: ThreadSettings,
  known: {
    readonly previousModel: string | undefined;
    /** What the model goes on reading, where that may hold instructions that are over. */
    readonly history?: readonly ResponseItem[];
  },
): readonly MessageItem[] {
  const { previousModel, history = [] } = known;
  const takeover =
    previousModel === undefined || previousModel === settings.model.slug ? undefined : takeoverInstructions(settings);
  const { bakedPersonality } = takeover ?? settings;
  const sections = {
    'model-switch': takeover === undefined ? undefined : modelSwitchSection(takeover.text),
    permissions: permissionsSection(settings.sandbox, settings.approvalPolicy),
    'developer-instructions': settings.developerInstructions,
    'collaboration-mode': collaborationModeSection(settings),
    personality: initialPersonalitySection(settings, { baked: bakedPersonality }),
    'project-instructions': instructionsSection(settings, history),
    environment: environmentSection(settings.environment, { cwd: settings.cwd, withGit: settings.gitInContext }),
  };
  return updateMessages(sections, { omitted: settings.omittedSections });
}
