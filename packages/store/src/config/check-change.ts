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
 * together. What is wrong elsewhere is set aside for it, so that it hides nothing and can be put right one by one.
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
  let sources = await readSources(options);
  const setAside = new Set<string>();
  while (setAside.size < MOST_SET_ASIDE) {
    const wrong = await problemOf({ ...sources, overrides: [...sources.overrides, candidate], managed: [] }, asked);
    if (wrong === undefined) return;
    if (isAbout(wrong, keyPath)) throw refusal(wrong, keyPath);
    const name = wrong.path?.join('\n');
    if (wrong.path === undefined || name === undefined || setAside.has(name)) return; // what is missing can not be left out
    setAside.add(name);
    sources = without(sources, wrong.path);
  }
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
