import type { CatalogModel, ModelUpgrade, ReasoningLevel } from '@quire/protocol';
import { supportsPersonality } from '../context/model-instructions.ts';
import { DEFAULT_MODEL } from './catalog.ts';

/** A model as it is offered to people. */
export interface ModelPreset {
  /** The slug. */
  readonly id: string;
  readonly displayName: string;
  /** May be empty. */
  readonly description: string;
  /** `none` when the model has no default. */
  readonly defaultReasoningEffort: string;
  readonly reasoningLevels: readonly ReasoningLevel[];
  readonly supportsPersonality: boolean;
  readonly upgrade: ModelUpgrade | undefined;
  readonly isListed: boolean;
  readonly availabilityNotice: string | undefined;
  readonly supportedInApi: boolean;
  readonly inputModalities: readonly string[];
  /** Of exactly one of a list that is not empty. */
  readonly isDefault: boolean;
}

/** The model that chooses another one by itself, where the provider offers it. Source: facts, default model. */
const AUTOMATIC_MODEL = 'codex-auto-balanced';

/**
 * The models in the order of offering: by priority; without a ChatGPT login only those that a key may use. The first
 * listed one is the default, or the first of all when none is listed. Source: facts, presets.
 */
export function modelPresets(
  models: readonly CatalogModel[],
  { isChatgpt }: { readonly isChatgpt: boolean },
): readonly ModelPreset[] {
  const presets = [...models]
    .sort((left, right) => left.priority - right.priority)
    .filter((model) => isChatgpt || model.supportedInApi)
    .map(presetOf);
  const chosen = presets.find(({ isListed }) => isListed) ?? presets[0];
  return presets.map((preset) => ({ ...preset, isDefault: preset === chosen }));
}

function presetOf(model: CatalogModel): ModelPreset {
  return {
    id: model.slug,
    displayName: model.displayName,
    description: model.description ?? '',
    defaultReasoningEffort: model.defaultReasoningEffort ?? 'none',
    reasoningLevels: model.reasoningLevels,
    supportsPersonality: supportsPersonality(model),
    upgrade: model.upgrade,
    isListed: model.visibility === 'list',
    availabilityNotice: model.availabilityNotice,
    supportedInApi: model.supportedInApi,
    inputModalities: model.inputModalities,
    isDefault: false,
  };
}

/**
 * The model of a thread: what was asked for, as it was written; with a ChatGPT login the automatic one where it is
 * listed; the default preset. `DEFAULT_MODEL` when there are no presets at all.
 */
export function chooseModel(
  models: readonly CatalogModel[],
  { explicit, isChatgpt }: { readonly explicit: string | undefined; readonly isChatgpt: boolean },
): string {
  if (explicit !== undefined) return explicit;
  const presets = modelPresets(models, { isChatgpt });
  const automatic = isChatgpt ? presets.find(({ id, isListed }) => id === AUTOMATIC_MODEL && isListed) : undefined;
  return (automatic ?? presets.find(({ isDefault }) => isDefault))?.id ?? DEFAULT_MODEL;
}
