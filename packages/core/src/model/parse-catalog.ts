import { type CatalogModel, isJsonObject } from '@quire/protocol';
import { EntryReader } from './entry-reader.ts';
import { readModel } from './read-model.ts';

export type CatalogReading =
  | { readonly kind: 'models'; readonly models: readonly CatalogModel[] }
  /** Part of a sentence: names entries, fields, expectations and what was found. */
  | { readonly kind: 'unusable'; readonly reason: string };

const MAX_SHOWN = 3;

/**
 * `{"models": […]}` as the endpoint answers and files hold it. One entry that can not be understood makes the whole
 * list unusable, so that nobody works with half of it; fields not known here do not matter.
 * Source: facts, model entries.
 */
export function parseCatalog(body: unknown): CatalogReading {
  const list: unknown = isJsonObject(body) ? body['models'] : undefined;
  return Array.isArray(list) ? parseModels(list) : { kind: 'unusable', reason: 'there is no list "models" in it' };
}

/** The entries themselves. */
export function parseModels(list: readonly unknown[]): CatalogReading {
  const problems: string[] = [];
  const models = list.flatMap((entry, index): readonly CatalogModel[] => {
    if (!isJsonObject(entry)) {
      problems.push(`entry ${index + 1} is no object`);
      return [];
    }
    const reader = new EntryReader(entry, { index });
    const model = readModel(reader);
    problems.push(...reader.problems);
    return [model];
  });
  if (problems.length === 0) return { kind: 'models', models };
  const shown = problems.slice(0, MAX_SHOWN).join('; ');
  const rest = problems.length - MAX_SHOWN;
  return { kind: 'unusable', reason: rest > 0 ? `${shown}; and ${rest} more` : shown };
}
