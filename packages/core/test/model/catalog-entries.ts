import type { CatalogModel, JsonObject } from '@quire/protocol';
import { parseModels } from '../../src/model/parse-catalog.ts';

/** A wire entry with exactly the fields that must be there. */
export function wireEntry(slug: string, fields: JsonObject = {}): JsonObject {
  return {
    slug,
    display_name: slug,
    supported_reasoning_levels: [],
    shell_type: 'shell_command',
    visibility: 'list',
    supported_in_api: true,
    priority: 1,
    base_instructions: null,
    support_verbosity: false,
    truncation_policy: { mode: 'tokens', limit: 10_000 },
    experimental_supported_tools: [],
    ...fields,
  };
}

/** The models of wire entries. Throws when one can not be read. */
export function modelsOf(...entries: readonly JsonObject[]): readonly CatalogModel[] {
  const reading = parseModels(entries);
  if (reading.kind === 'unusable') throw new Error(reading.reason);
  return reading.models;
}
