import { readCatalogFile } from '../catalog/read-catalog-file.ts';
import { ConfigError } from './config-error.ts';
import { adoptValue, type ConfigLayer, type ConfigTable, createTable, isTable, valueAt } from './layers.ts';
import { decodeConfig, type LoadConfigOptions } from './load-config.ts';
import { OVERRIDE_SOURCE } from './overrides.ts';
import { checkTrustLevels } from './project-trust.ts';
import { type LayerSources, readSources, stackLayers } from './read-layers.ts';
import { dotted } from './setting-reader.ts';

interface NewValue {
  readonly keyPath: readonly string[];
  readonly value: unknown;
}

/** Enough for any file that a person writes. */
const MOST_SET_ASIDE = 50;

/**
 * Looks whether a new value can be used: over everything else that is set, so that what goes together is looked at
 * together. What is wrong elsewhere is set aside for it, and what is missing stood in for, so that it hides nothing and
 * can be put right one by one. Where that does not help, the new value is looked at by itself.
 *
 * @throws ConfigError when it can not
 */
export async function checkChange(change: NewValue, options: LoadConfigOptions): Promise<void> {
  const { keyPath } = change;
  const profile = keyPath[0] === 'profiles' && keyPath[1] !== undefined ? { profile: keyPath[1] } : {};
  const asked = { ...options, ...profile };
  const candidate: ConfigLayer = {
    kind: 'command-line',
    source: OVERRIDE_SOURCE,
    baseDirectory: options.home,
    table: tableWith(keyPath, change.value),
  };
  const given = await readSources(options);
  const looked = new Map<string, number>();
  let sources: LayerSources | undefined = given;
  for (let step = 0; step < MOST_SET_ASIDE && sources !== undefined; step += 1) {
    const wrong = await problemOf({ ...sources, overrides: [...sources.overrides, candidate], managed: [] }, asked);
    if (wrong === undefined) return;
    if (isAbout(wrong, keyPath)) throw refusal(wrong, keyPath);
    sources = unlessWrong(sources, wrong, looked);
  }
  // Something else can not be set aside, so that at least the value by itself is looked at.
  const { environment } = options;
  const alone = { ...options, profile: undefined, ignoreUserConfig: true, environment: { HOME: environment['HOME'] } };
  const none: LayerSources = { system: [namesOfProviders(given)], user: [], overrides: [candidate], managed: [] };
  const wrong = await problemOf(none, alone);
  if (wrong !== undefined && isAbout(wrong, keyPath)) throw refusal(wrong, keyPath);
}

/** Without what is wrong, or with something in the place of what is missing. `undefined`: neither has helped. */
function unlessWrong(
  sources: LayerSources,
  { path }: ConfigError,
  looked: Map<string, number>,
): LayerSources | undefined {
  if (path === undefined) return undefined;
  const name = path.join('\n');
  const times = looked.get(name) ?? 0;
  looked.set(name, times + 1);
  if (times === 0) return without(sources, path);
  if (times > 1 || !TABLES_WITH_MISSING.includes(path[0] ?? '')) return undefined;
  return { ...sources, system: [standIn(tableWith(path, STAND_IN)), ...sources.system] };
}

/** Where a value may be missing that nothing else of its table excludes. */
const TABLES_WITH_MISSING = ['model_providers', 'otel'];

/** Is a name, a program and an address. */
const STAND_IN = 'http://stand-in';

/** Every provider that is defined, however wrong, so that it may be chosen. */
function namesOfProviders(sources: LayerSources): ConfigLayer {
  const table = createTable();
  const { system, user, overrides, managed } = sources;
  for (const layer of [...system, ...user, ...overrides, ...managed]) {
    const providers = layer.table['model_providers'];
    for (const id of isTable(providers) ? Object.keys(providers) : []) table[id] = tableWith(['name'], STAND_IN);
  }
  return standIn(tableWith(['model_providers'], table));
}

function standIn(table: ConfigTable): ConfigLayer {
  return { kind: 'system', source: 'stand-in', baseDirectory: '/', table };
}

async function problemOf(sources: LayerSources, options: LoadConfigOptions): Promise<ConfigError | undefined> {
  try {
    const stack = await stackLayers(sources, options);
    const { modelCatalogFile } = await decodeConfig(stack, options);
    checkTrustLevels(stack.owner);
    if (modelCatalogFile !== undefined) await readCatalogFile(modelCatalogFile);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function isAbout({ path: wrong, source }: ConfigError, keyPath: readonly string[]): boolean {
  if (wrong === undefined) return false;
  if (keyPath[0] !== 'profiles' || startsAlike(keyPath, wrong)) return startsAlike(keyPath, wrong);
  // In a profile keys stand without its table.
  const inProfile = keyPath.slice(2);
  return inProfile.length === 0 ? source === OVERRIDE_SOURCE : startsAlike(inProfile, wrong);
}

function startsAlike(left: readonly string[], right: readonly string[]): boolean {
  const length = Math.min(left.length, right.length);
  return left.slice(0, length).every((name, index) => name === right[index]);
}

function refusal(error: ConfigError, keyPath: readonly string[]): ConfigError {
  const place = `${OVERRIDE_SOURCE}: `;
  const what = error.message.startsWith(place) ? error.message.slice(place.length) : error.message;
  const key = dotted(keyPath);
  return new ConfigError(error.code, `${what}; nothing was written`, { key, path: keyPath, cause: error });
}

function tableWith(keyPath: readonly string[], value: unknown): ConfigTable {
  const table = createTable();
  const [name = '', ...rest] = keyPath;
  table[name] = rest.length === 0 ? value : tableWith(rest, value);
  return table;
}

/** Without what stands at `path`, in profiles too. */
function without(sources: LayerSources, path: readonly string[]): LayerSources {
  const clean = (layers: readonly ConfigLayer[]): readonly ConfigLayer[] =>
    layers.map((layer) => ({ ...layer, table: cleaned(layer.table, path) }));
  const { system, user, overrides, managed } = sources;
  return { system: clean(system), user: clean(user), overrides: clean(overrides), managed: clean(managed) };
}

function cleaned(table: ConfigTable, path: readonly string[]): ConfigTable {
  const copy = adoptValue(table) as ConfigTable; // a table in, a table out
  const { profiles } = copy;
  const places = [copy, ...(isTable(profiles) ? Object.values(profiles).filter(isTable) : [])];
  for (const place of places) {
    // A value may stand where the path goes on.
    for (let length = path.length; length > 0; length -= 1) {
      const parent = valueAt(place, path.slice(0, length - 1));
      const name = path[length - 1];
      if (name === undefined || !isTable(parent) || !Object.hasOwn(parent, name)) continue;
      if (length === path.length || !isTable(parent[name])) delete parent[name];
      break;
    }
  }
  return copy;
}
