import {
  type CatalogModel,
  isJsonObject,
  type ModelInfo,
  type ModelMessages,
  type ModelUpgrade,
  type ReasoningLevel,
  stringAt,
  type TruncationPolicy,
} from '@quire/protocol';
import type { EntryReader } from './entry-reader.ts';

const SHELL_TYPES = ['default', 'local', 'unified_exec', 'shell_command', 'disabled'] as const;
const VISIBILITIES = ['list', 'hide', 'none'] as const;
const SUMMARIES = ['auto', 'concise', 'detailed', 'none'] as const;
const VERBOSITIES = ['low', 'medium', 'high'] as const;
const PATCH_TOOLS = ['freeform', 'function'] as const;
const SEARCH_TOOLS = ['text', 'text_and_image'] as const;
const TRUNCATION_MODES = ['bytes', 'tokens'] as const;
const MODALITIES: readonly string[] = ['text', 'image'];
const DEFAULT_WINDOW_PERCENT = 95;

/**
 * One wire entry. Its result counts only when the reader found no problems. Words for an effort are open; every other
 * word must be known. What later versions no longer send (summaries, parallel calls) is then true of every model.
 * Source: facts, table of model entry fields.
 */
export function readModel(entry: EntryReader): CatalogModel {
  return { ...readPlace(entry), ...readAbilities(entry), ...readLimits(entry), ...readTexts(entry) };
}

type Place =
  | 'slug'
  | 'displayName'
  | 'description'
  | 'visibility'
  | 'supportedInApi'
  | 'priority'
  | 'availabilityNotice'
  | 'upgrade'
  | 'isFallback';

/** Where it stands among other models. */
function readPlace(entry: EntryReader): Pick<CatalogModel, Place> {
  return {
    slug: entry.requiredString('slug'),
    displayName: entry.requiredString('display_name'),
    description: entry.string('description'),
    visibility: entry.requiredOneOf('visibility', VISIBILITIES) ?? 'none',
    supportedInApi: entry.requiredBoolean('supported_in_api'),
    priority: entry.requiredInteger('priority'),
    availabilityNotice: readNotice(entry),
    upgrade: readUpgrade(entry),
    isFallback: false,
  };
}

function readNotice(entry: EntryReader): string | undefined {
  const notice = entry.object('availability_nux');
  if (notice === undefined) return undefined;
  const message = stringAt(notice, 'message');
  if (message === undefined) entry.wrong('availability_nux', 'an object with a text "message"');
  return message;
}

function readUpgrade(entry: EntryReader): ModelUpgrade | undefined {
  const upgrade = entry.object('upgrade');
  if (upgrade === undefined) return undefined;
  const model = stringAt(upgrade, 'model');
  if (model === undefined) entry.wrong('upgrade', 'an object with a text "model"');
  return { model: model ?? '', migrationMarkdown: stringAt(upgrade, 'migration_markdown') ?? '' };
}

type Limits = 'truncation' | 'contextWindow' | 'effectiveContextWindowPercent' | 'maxContextWindow';

function readLimits(entry: EntryReader): Pick<CatalogModel, Limits | 'autoCompactTokenLimit'> {
  const maxContextWindow = entry.tokens('max_context_window');
  const autoCompactTokenLimit = entry.tokens('auto_compact_token_limit');
  const percent = entry.integer('effective_context_window_percent') ?? DEFAULT_WINDOW_PERCENT;
  return {
    truncation: readTruncation(entry),
    contextWindow: entry.tokens('context_window'),
    effectiveContextWindowPercent: Math.min(Math.max(percent, 1), 100),
    ...(maxContextWindow === undefined ? {} : { maxContextWindow }),
    ...(autoCompactTokenLimit === undefined ? {} : { autoCompactTokenLimit }),
  };
}

function readTruncation(entry: EntryReader): TruncationPolicy {
  const policy = entry.object('truncation_policy');
  const mode = TRUNCATION_MODES.find((known) => known === policy?.['mode']);
  const limit = policy?.['limit'];
  const isWhole = typeof limit === 'number' && Number.isSafeInteger(limit);
  if (mode !== undefined && isWhole) return { mode, limit };
  const expected = 'an object with "mode" (bytes or tokens) and "limit"';
  if (policy !== undefined) entry.wrong('truncation_policy', expected);
  else if (entry.value('truncation_policy') === undefined) entry.missing('truncation_policy', expected);
  return { mode: 'bytes', limit: 0 };
}

type Abilities =
  | 'reasoningLevels'
  | 'supportedReasoningEfforts'
  | 'defaultReasoningEffort'
  | 'supportsReasoningSummaries'
  | 'defaultReasoningSummary'
  | 'supportsVerbosity'
  | 'defaultVerbosity'
  | 'applyPatchTool'
  | 'supportsParallelToolCalls'
  | 'inputModalities'
  | 'shellType'
  | 'experimentalTools'
  | 'webSearchTool'
  | 'supportsOriginalImages'
  | 'prefersWebsockets';

function readAbilities(entry: EntryReader): Pick<CatalogModel, Abilities> & Pick<ModelInfo, 'serviceTiers'> {
  const reasoningLevels = readLevels(entry);
  const serviceTiers = readServiceTiers(entry);
  const experimentalTools = entry.strings('experimental_supported_tools');
  if (entry.value('experimental_supported_tools') === undefined) {
    entry.missing('experimental_supported_tools', 'a list of texts');
  }
  return {
    reasoningLevels,
    supportedReasoningEfforts: reasoningLevels.map(({ effort }) => effort),
    defaultReasoningEffort: entry.string('default_reasoning_level'),
    supportsReasoningSummaries: entry.boolean('supports_reasoning_summaries', { absent: true }),
    defaultReasoningSummary: entry.oneOf('default_reasoning_summary', SUMMARIES) ?? 'auto',
    supportsVerbosity: entry.requiredBoolean('support_verbosity'),
    defaultVerbosity: entry.oneOf('default_verbosity', VERBOSITIES),
    applyPatchTool: entry.oneOf('apply_patch_tool_type', PATCH_TOOLS),
    supportsParallelToolCalls: entry.boolean('supports_parallel_tool_calls', { absent: true }),
    inputModalities: readModalities(entry),
    shellType: entry.requiredOneOf('shell_type', SHELL_TYPES) ?? 'default',
    experimentalTools: experimentalTools ?? [],
    webSearchTool: entry.oneOf('web_search_tool_type', SEARCH_TOOLS) ?? 'text',
    supportsOriginalImages: entry.boolean('supports_image_detail_original', { absent: false }),
    prefersWebsockets: entry.boolean('prefer_websockets', { absent: false }),
    ...(serviceTiers === undefined ? {} : { serviceTiers }),
  };
}

function readLevels(entry: EntryReader): readonly ReasoningLevel[] {
  const field = 'supported_reasoning_levels';
  return entry.requiredList(field).flatMap((level) => {
    const effort = isJsonObject(level) ? stringAt(level, 'effort') : undefined;
    if (!isJsonObject(level) || effort === undefined || effort === '') {
      entry.wrong(field, 'a list of objects with a text "effort"');
      return [];
    }
    return [{ effort, description: stringAt(level, 'description') ?? '' }];
  });
}

function readModalities(entry: EntryReader): readonly string[] {
  const modalities = entry.strings('input_modalities') ?? MODALITIES;
  if (!modalities.every((word) => MODALITIES.includes(word))) {
    entry.wrong('input_modalities', `a list out of ${MODALITIES.join(', ')}`);
  }
  return modalities;
}

/** Newer entries list them by id; before that `additional_speed_tiers: ["fast"]` said the same. */
function readServiceTiers(entry: EntryReader): readonly string[] | undefined {
  const named = entry
    .list('service_tiers')
    ?.flatMap((tier) => (isJsonObject(tier) ? (stringAt(tier, 'id') ?? []) : []));
  const fast = entry.strings('additional_speed_tiers')?.map((tier) => (tier === 'fast' ? 'priority' : tier));
  if (named === undefined && fast === undefined) return undefined;
  return [...new Set([...(named ?? []), ...(fast ?? [])])];
}

function readTexts(entry: EntryReader): Pick<ModelInfo, 'baseInstructions' | 'modelMessages'> {
  const baseInstructions = entry.string('base_instructions');
  const modelMessages = readMessages(entry);
  return {
    // Some lists leave them empty: the general ones are better than none.
    ...(baseInstructions === undefined || baseInstructions === '' ? {} : { baseInstructions }),
    ...(modelMessages === undefined ? {} : { modelMessages }),
  };
}

function readMessages(entry: EntryReader): ModelMessages | undefined {
  const messages = entry.object('model_messages');
  if (messages === undefined) return undefined;
  const variables = messages['instructions_variables'];
  const texts = isJsonObject(variables) ? variables : {};
  const instructionsTemplate = stringAt(messages, 'instructions_template');
  const personalityDefault = stringAt(texts, 'personality_default');
  const personalityFriendly = stringAt(texts, 'personality_friendly');
  const personalityPragmatic = stringAt(texts, 'personality_pragmatic');
  return {
    ...(instructionsTemplate === undefined ? {} : { instructionsTemplate }),
    ...(personalityDefault === undefined ? {} : { personalityDefault }),
    ...(personalityFriendly === undefined ? {} : { personalityFriendly }),
    ...(personalityPragmatic === undefined ? {} : { personalityPragmatic }),
  };
}
