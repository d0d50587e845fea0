import { type FeatureValues, isFeatureSet } from './feature-settings.ts';
import { canonicalFeatureName } from './feature-table.ts';
import { isTable } from './layers.ts';
import type { SettingReader } from './setting-reader.ts';

export interface WebSearchConfig {
  /** Absent: nobody chose; the provider and the sandbox of each turn decide. */
  readonly webSearch: 'disabled' | 'cached' | 'live' | undefined;
  /** Hosts that results may come from. Absent or empty: all. */
  readonly webSearchAllowedDomains: readonly string[] | undefined;
  readonly webSearchContextSize: 'low' | 'medium' | 'high' | undefined;
  /** Roughly where the person is. */
  readonly webSearchLocation:
    | { readonly country?: string; readonly region?: string; readonly city?: string; readonly timezone?: string }
    | undefined;
}

type Mode = WebSearchConfig['webSearch'];

/** Features that chose the mode before there was a key for it, the stronger one first. Source: the peer. */
const MODE_FEATURES = [
  { feature: 'web_search_cached', mode: 'cached' },
  { feature: 'web_search_request', mode: 'live' },
  { feature: 'web_search', mode: 'live' },
] as const;

const LOCATION_PARTS = ['country', 'region', 'city', 'timezone'] as const;

/** @param options `pins` of the administrator, by newer names, go before what layers say of features */
export function readWebSearchSettings(
  reader: SettingReader,
  options: { readonly pins: FeatureValues; readonly warnings: string[] },
): WebSearchConfig {
  const { warnings } = options;
  reader.requireTable('tools');
  checkToolTable(reader, warnings);
  const chosenByFeature = readModeFeatures(reader, options);
  return {
    webSearch: readMode(reader, warnings) ?? chosenByFeature,
    webSearchAllowedDomains: reader.stringList({ key: 'tools.web_search.allowed_domains' }),
    webSearchContextSize: reader.oneOf({ key: 'tools.web_search.context_size' }, ['low', 'medium', 'high']),
    webSearchLocation: readLocation(reader),
  };
}

/** Newer programs know a further mode, between the two that search. */
function readMode(reader: SettingReader, warnings: string[]): Mode {
  const setting = { key: 'web_search' } as const;
  if (reader.raw(setting) === 'indexed') {
    warnings.push('web_search: "indexed" is not supported and counts as "cached"');
    return 'cached';
  }
  return reader.oneOf(setting, ['disabled', 'cached', 'live']);
}

/** People are told of the names that they wrote; what holds is known by the newer names. */
function readModeFeatures(
  reader: SettingReader,
  { pins, warnings }: { readonly pins: FeatureValues; readonly warnings: string[] },
): Mode {
  for (const { feature, mode } of MODE_FEATURES) {
    if (reader.raw({ key: 'features.<name>', id: feature }) !== true) continue;
    warnings.push(`features.${feature} is deprecated: set web_search = "${mode}" at the top of the file instead`);
  }
  return MODE_FEATURES.find(({ feature }) => isFeatureSet(reader, canonicalFeatureName(feature), pins) === true)?.mode;
}

/** A boolean stands here in files of older programs, where it was a switch. */
function checkToolTable(reader: SettingReader, warnings: string[]): void {
  const setting = { key: 'tools.web_search' } as const;
  if (isTable(reader.raw(setting))) return;
  const value = reader.boolean(setting);
  if (value === undefined) return;
  const instead = value ? '"cached" or "live"' : '"disabled"';
  warnings.push(
    `tools.web_search = ${value} has no effect: set web_search to ${instead} at the top of the file instead`,
  );
}

function readLocation(reader: SettingReader): WebSearchConfig['webSearchLocation'] {
  const given = reader.stringMap({ key: 'tools.web_search.location' });
  if (given === undefined) return undefined;
  const known = LOCATION_PARTS.flatMap((part) => {
    const value = given[part];
    return value === undefined || value.trim() === '' ? [] : [[part, value] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}
