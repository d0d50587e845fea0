import { ConfigError } from './config-error.ts';
import {
  canonicalFeatureName,
  FEATURE_ALIASES,
  FEATURE_IMPLICATIONS,
  FEATURES,
  findFeature,
  nearestFeature,
  TOP_LEVEL_TOGGLES,
} from './feature-table.ts';
import { type ConfigTable, isTable, valueAt } from './layers.ts';
import type { SettingReader } from './setting-reader.ts';

/** By name. */
export type FeatureValues = Readonly<Record<string, boolean>>;

export interface FeatureSettings {
  /**
   * What was set: under the name it was set by and the one it has now, unknown names included. What is not in here has
   * the default of `FEATURES`, see `isFeatureEnabled`.
   */
  readonly features: FeatureValues;
}

/** Aliases that come with a better advice than the newer name. */
const ADVISED_ELSEWHERE: ReadonlySet<string> = new Set(['web_search']);

/** @param options `pins` of the administrator, by newer names, go before everything else */
export function readFeatureSettings(
  reader: SettingReader,
  options: { readonly pins: FeatureValues; readonly warnings: string[] },
): FeatureSettings {
  const { pins, warnings } = options;
  const values = layeredValues(reader);
  for (const [name, pin] of Object.entries(pins)) {
    if (values.has(name) && values.get(name) !== pin) {
      warnings.push(`features.${name} is set to ${pin} by the administrator of this machine`);
    }
    values.set(name, pin);
  }
  for (const [name, implied] of FEATURE_IMPLICATIONS) {
    if (values.get(name) === true && !Object.hasOwn(pins, implied)) values.set(implied, true);
  }
  if (values.get('js_repl_tools_only') === true && values.get('js_repl') !== true) {
    values.set('js_repl_tools_only', false);
    warnings.push('features.js_repl_tools_only needs features.js_repl, which is off, and was switched off');
  }
  warnings.push(...aliasWarnings(reader), ...unfinishedWarning(reader));
  return { features: Object.fromEntries([...olderNames(values), ...values]) };
}

/** What layers and administrator say of one feature. */
export function isFeatureSet(reader: SettingReader, name: string, pins: FeatureValues = {}): boolean | undefined {
  return pins[name] ?? layeredValues(reader).get(name);
}

/** What holds: what was set, or else the default. Names that are not known are off. */
export function isFeatureEnabled(features: FeatureValues, name: string): boolean {
  const feature = findFeature(name);
  return features[canonicalFeatureName(name)] ?? feature?.defaultEnabled ?? false;
}

/** Those that are other than by default, under their newer names; none that are removed. */
export function changedFeatures(features: FeatureValues): readonly (readonly [name: string, enabled: boolean])[] {
  return FEATURES.flatMap(({ name, stage, defaultEnabled }) => {
    const value = features[name] ?? defaultEnabled;
    return stage === 'removed' || value === defaultEnabled ? [] : [[name, value] as const];
  });
}

/**
 * What `--enable` and `--disable` mean, as texts of `-c`.
 * @throws ConfigError 'unknown-feature'
 */
export function featureOverrides(flags: {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
}): readonly string[] {
  const override = (name: string, enabled: boolean, flag: string): string => {
    if (findFeature(name) === undefined) throw unknownFeature(name, flag);
    return `features.${name}=${enabled}`;
  };
  return [
    ...flags.enable.map((name) => override(name, /* enabled */ true, '--enable')),
    ...flags.disable.map((name) => override(name, /* enabled */ false, '--disable')),
  ];
}

export function unknownFeature(name: string, source: string): ConfigError {
  const nearest = nearestFeature(name);
  const hint = nearest === undefined ? 'quire features list shows those that there are' : `did you mean ${nearest}?`;
  const message = `${source}: there is no feature ${JSON.stringify(name.slice(0, 60))}; ${hint}`;
  return new ConfigError('unknown-feature', message, { key: `features.${name}`, path: ['features', name], source });
}

/** By newer names. Of one layer the newer name goes before older ones, and the table before what stands at the top. */
function layeredValues(reader: SettingReader): Map<string, boolean> {
  const values = new Map<string, boolean>();
  checkTypes(reader);
  for (const { table } of reader.layers) {
    for (const name of TOP_LEVEL_TOGGLES) note(name, table[name]);
    const features = table['features'];
    if (!isTable(features)) continue;
    const names = Object.keys(features);
    const older = names.filter((name) => canonicalFeatureName(name) !== name);
    for (const name of older) note(name, switchOf(features, name));
    for (const name of names) if (!older.includes(name)) note(name, switchOf(features, name));
  }
  return values;

  function note(name: string, value: unknown): void {
    if (typeof value === 'boolean') values.set(canonicalFeatureName(name), value);
  }
}

function checkTypes(reader: SettingReader): void {
  for (const key of TOP_LEVEL_TOGGLES) reader.boolean({ key });
  for (const id of reader.tableKeys('features')) {
    const setting = { key: 'features.<name>', id } as const;
    if (!isTable(reader.raw(setting))) reader.boolean(setting);
  }
}

/** Newer files may hold a table of a feature's own settings, with the switch in it. */
function switchOf(features: ConfigTable, name: string): unknown {
  const value = features[name];
  return isTable(value) ? valueAt(value, ['enabled']) : value;
}

function aliasWarnings(reader: SettingReader): readonly string[] {
  const below = reader.tableKeys('features').filter((name) => !ADVISED_ELSEWHERE.has(name));
  const used = [
    ...TOP_LEVEL_TOGGLES.filter((key) => reader.raw({ key }) !== undefined).map((name) => ({ name, key: name })),
    ...below.map((name) => ({ name, key: `features.${name}` })),
  ];
  return used.flatMap(({ name, key }) =>
    Object.hasOwn(FEATURE_ALIASES, name)
      ? [`${key} is an older name: write features.${canonicalFeatureName(name)} instead`]
      : [],
  );
}

function unfinishedWarning(reader: SettingReader): readonly string[] {
  if (reader.boolean({ key: 'suppress_unstable_features_warning' }) === true) return [];
  const unfinished = reader.tableKeys('features').filter((id) => {
    const feature = findFeature(id);
    const isUnfinished = feature?.supported === true && feature.stage === 'under-development';
    return isUnfinished && feature.name === id && reader.raw({ key: 'features.<name>', id }) === true;
  });
  if (unfinished.length === 0) return [];
  return [
    `under development and may break: features.${unfinished.join(', features.')}; ` +
      'suppress_unstable_features_warning = true silences this',
  ];
}

/** The older names of what is set, so that readers of either find it. */
function olderNames(values: ReadonlyMap<string, boolean>): readonly (readonly [string, boolean])[] {
  return Object.entries(FEATURE_ALIASES).flatMap(([older, name]) => {
    const value = values.get(name);
    return value === undefined ? [] : [[older, value] as const];
  });
}
