import type { CatalogModel } from '@quire/protocol';
import { BUNDLED_MODELS } from './bundled-models.ts';
import { findModelIn } from './find-model.ts';

/** The model used when nothing names one and no catalog was loaded. */
export const DEFAULT_MODEL = 'gpt-5.2-codex';

/** What the bundled list knows of `name`. A catalog that is kept up to date is `ModelCatalog`. */
export function findModel(name: string): CatalogModel {
  return findModelIn(BUNDLED_MODELS, name);
}
