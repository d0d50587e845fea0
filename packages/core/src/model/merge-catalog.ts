import type { CatalogModel } from '@quire/protocol';

/**
 * The list to work with after a provider sent one: with a ChatGPT login and at least one model to choose from, the
 * provider's alone; otherwise the bundled one with entries of the same slug replaced and new ones behind.
 * Source: facts, applying a fetched list.
 */
export function mergeCatalog(
  bundled: readonly CatalogModel[],
  remote: readonly CatalogModel[],
  { isChatgpt }: { readonly isChatgpt: boolean },
): readonly CatalogModel[] {
  if (isChatgpt && remote.some((model) => model.visibility === 'list')) return remote;
  const merged = new Map(bundled.map((model) => [model.slug, model]));
  for (const model of remote) merged.set(model.slug, model);
  return [...merged.values()];
}
