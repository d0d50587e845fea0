import type { ToolChoices, TurnChoices } from '@quire/core';
import type { TurnContextLine } from '@quire/protocol';
import { type Config, isFeatureEnabled } from '@quire/store';
import type { TurnOverrides } from './api.ts';

/**
 * What the configuration chooses for turns.
 *
 * @param stored of the last turn of a resumed thread
 * @param model the slug of the thread's model: efforts are words of a model, so another one's does not count
 */
export function configuredChoices(config: Config, stored: TurnContextLine | undefined, model: string): TurnChoices {
  const { features } = config;
  const storedEffort = stored?.model === model ? stored.effort : undefined;
  return {
    reasoningEffort: {
      turn: undefined,
      planMode: config.planModeReasoningEffort,
      configured: config.modelReasoningEffort ?? storedEffort,
    },
    reasoningSummary: { turn: undefined, configured: config.modelReasoningSummary },
    verbosity: config.modelVerbosity,
    personality: {
      feature: isFeatureEnabled(features, 'personality'),
      turn: undefined,
      configured: config.personality,
      stored: stored?.personality,
    },
    serviceTier: {
      turn: undefined,
      configured: config.serviceTier,
      fastMode: isFeatureEnabled(features, 'fast_mode'),
    },
    allowedWebSearchModes: config.requirements?.webSearchModes,
    tools: toolChoices(config),
  };
}

/** Tools that a feature of the same name switches on. */
const OPTIONAL_TOOLS: readonly string[] = [
  'js_repl',
  'js_repl_tools_only',
  'default_mode_request_user_input',
  'grep_files',
  'read_file',
  'list_dir',
];

function toolChoices({ features }: Config): ToolChoices {
  const hasImages = isFeatureEnabled(features, 'view_image');
  const enabled = OPTIONAL_TOOLS.filter((name) => isFeatureEnabled(features, name));
  return {
    shell: isFeatureEnabled(features, 'shell_tool'),
    unifiedExec: isFeatureEnabled(features, 'unified_exec'),
    enabled: new Set(hasImages ? ['view_image', ...enabled] : enabled),
    disabled: new Set(hasImages ? [] : ['view_image']),
    originalImages: isFeatureEnabled(features, 'image_detail_original'),
  };
}

/**
 * What is chosen from a turn on that asks for something else. Another model comes without the effort that was chosen
 * for the one before.
 */
export function changedChoices(
  before: TurnChoices,
  overrides: TurnOverrides,
  { configured }: { readonly configured: TurnChoices },
): TurnChoices {
  const { reasoningEffort, reasoningSummary, personality, serviceTier } = overrides;
  const effort = overrides.model === undefined ? before.reasoningEffort : configured.reasoningEffort;
  return {
    ...before,
    reasoningEffort: { ...effort, turn: reasoningEffort ?? effort.turn },
    reasoningSummary: { ...before.reasoningSummary, turn: reasoningSummary ?? before.reasoningSummary.turn },
    personality: { ...before.personality, turn: personality ?? before.personality.turn },
    serviceTier: { ...before.serviceTier, turn: serviceTier === undefined ? before.serviceTier.turn : serviceTier },
  };
}
