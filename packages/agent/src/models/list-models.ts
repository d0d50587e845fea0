import type { CredentialsSource } from '@quire/auth';
import {
  chooseModel,
  type ModelList,
  type ModelPreset,
  modelPresets,
  nextAvailabilityNotice,
  type RefreshOutcome,
  type RefreshStrategy,
  type UpgradeOffer,
  upgradeOffer,
} from '@quire/core';
import type { Site } from '../site.ts';
import type { ModelCatalogs } from './model-catalogs.ts';

/** The models that there are to choose from, and where that is known from. */
export interface ModelListing extends Pick<ModelList, 'origin' | 'etag' | 'confirmedAtMs'> {
  /** In the order of offering; those that are not listed, too. */
  readonly models: readonly ModelPreset[];
  /** To follow the upgrade of the model that a thread would begin with, unless that was answered before. */
  readonly upgrade: UpgradeOffer | undefined;
  /** The next notice of a new model, and how often it will have been shown when a client shows it. */
  readonly availability: ReturnType<typeof nextAvailabilityNotice>;
  /** How bringing the list up to date went. */
  readonly refresh: RefreshOutcome;
  /** Whatever was wrong with lists on the way, a sentence each. Holds no secret. */
  readonly notices: readonly string[];
}

/** Rejects when there are no credentials, or with the reason of the site's signal. */
export async function listModels(
  catalogs: ModelCatalogs,
  site: Site,
  { credentials, strategy }: { readonly credentials: CredentialsSource; readonly strategy: RefreshStrategy },
): Promise<ModelListing> {
  const { signal, config } = site;
  const notices: string[] = [];
  const lease = await catalogs.acquire(site, credentials, ({ message }) => notices.push(message));
  try {
    const isChatgpt = (await credentials.current({ signal })).kind === 'chatgpt';
    const refresh = await lease.catalog.refresh({ strategy, signal });
    const { models, origin, etag, confirmedAtMs } = lease.catalog.current();
    const presets = modelPresets(models, { isChatgpt });
    const { model: explicit, modelReasoningEffort: reasoningEffort, modelNotices } = config;
    const model = chooseModel(models, { explicit, isChatgpt });
    return {
      models: presets,
      upgrade: upgradeOffer(presets, { model, reasoningEffort }, modelNotices),
      availability: nextAvailabilityNotice(presets, modelNotices.showings),
      origin,
      etag,
      confirmedAtMs,
      refresh,
      notices,
    };
  } finally {
    await lease.release();
  }
}
