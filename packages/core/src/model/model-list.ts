import type { CatalogModel } from '@quire/protocol';
import { BUNDLED_MODELS } from './bundled-models.ts';

/** What is known of models at one moment. */
export interface ModelList {
  readonly models: readonly CatalogModel[];
  /** `file` is the list of `model_catalog_json`, which nothing changes. */
  readonly origin: 'bundled' | 'cache' | 'remote' | 'file';
  /** Of the list that the provider sent. */
  readonly etag: string | undefined;
  /** When the provider last confirmed it; unix milliseconds. Absent: it did not send this. */
  readonly confirmedAtMs: number | undefined;
}

export const BUNDLED_LIST: ModelList = {
  models: BUNDLED_MODELS,
  origin: 'bundled',
  etag: undefined,
  confirmedAtMs: undefined,
};
