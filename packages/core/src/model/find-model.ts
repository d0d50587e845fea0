import { type CatalogModel, editDistance } from '@quire/protocol';
import { fallbackModel } from './fallback-model.ts';

/**
 * What `models` say of `name`: the entry whose slug is the longest prefix of it, also behind one `namespace/`;
 * else general values. The result keeps `name` as its slug, so the request sends what the user wrote.
 */
export function findModelIn(models: readonly CatalogModel[], name: string): CatalogModel {
  const found = longestPrefix(models, name) ?? longestPrefix(models, withoutNamespace(name));
  return found === undefined ? fallbackModel(name) : { ...found, slug: name };
}

function longestPrefix(models: readonly CatalogModel[], name: string | undefined): CatalogModel | undefined {
  if (name === undefined) return undefined;
  let best: CatalogModel | undefined;
  for (const model of models) {
    if (name.startsWith(model.slug) && model.slug.length > (best?.slug.length ?? 0)) best = model;
  }
  return best;
}

function withoutNamespace(name: string): string | undefined {
  const match = /^[A-Za-z0-9_-]+\/([^/]+)$/.exec(name);
  return match?.[1];
}

/** A sentence for people when nobody described `name`; it names a model that may have been meant. */
export function unknownModelWarning(models: readonly CatalogModel[], name: string): string | undefined {
  if (!findModelIn(models, name).isFallback) return undefined;
  const near = nearestSlug(models, name);
  const hint = near === undefined ? '' : ` Was ${near} meant?`;
  return `Nothing is known about the model ${name}; general settings are used for it, which may cost quality.${hint}`;
}

/** Two letters off at most: names of different models are often that near. */
function nearestSlug(models: readonly CatalogModel[], name: string): string | undefined {
  const plain = withoutNamespace(name) ?? name;
  const listed = models.filter((model) => model.visibility === 'list');
  const [nearest] = listed
    .map(({ slug }) => ({ slug, distance: editDistance(plain, slug) }))
    .sort((left, right) => left.distance - right.distance);
  return nearest !== undefined && nearest.distance <= 2 ? nearest.slug : undefined;
}
