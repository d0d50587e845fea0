import { type ConfigLayer, isTable, type LayerKind, valueAt } from './layers.ts';
import type { LoadConfigOptions } from './load-config.ts';
import { findMisspelledKeys, isKnownKey } from './misspelled-keys.ts';
import { type LayerStack, readLayers } from './read-layers.ts';
import { secretTexts, withoutSecrets } from './secret-settings.ts';
import { dotted } from './setting-reader.ts';
import { findTomlLines, lineOfPath, type TomlLines } from './toml-lines.ts';

/** Where a value was set. */
export interface ConfigOrigin {
  readonly kind: LayerKind;
  /** Absolute path of the file, or `-c`. */
  readonly source: string;
  /** 1-based; absent for `-c`. */
  readonly line: number | undefined;
  /** Dotted, as it stands there: a profile in `config.toml` has its tables before it. */
  readonly key: string;
}

export interface ExplainedSetting {
  /** Dotted. */
  readonly key: string;
  readonly path: readonly string[];
  /** What holds. Secrets are hidden in it. */
  readonly value: unknown;
  readonly origin: ConfigOrigin;
  /** Where other values were set that do not hold, the strongest first. */
  readonly overridden: readonly ConfigOrigin[];
  /** Something reads it. */
  readonly isRead: boolean;
}

export interface ConfigExplanation {
  /** Every value that was set, in alphabetical order of keys. Lists are one value. */
  readonly settings: readonly ExplainedSetting[];
  /** The sources that there are, lowest first. */
  readonly layers: readonly { readonly kind: LayerKind; readonly source: string }[];
  /** Folders of projects that are not trusted, so that nothing in them is read. */
  readonly disabledFolders: readonly { readonly path: string; readonly reason: string }[];
  /** Keys that nothing reads and that are nearly like others, one sentence each. */
  readonly misspelled: readonly string[];
}

/**
 * Every value of the configuration with the place that it comes from. Values that are not valid are shown too, so
 * that they can be found.
 *
 * @throws ConfigError for a file that can not be read or is not TOML
 */
export async function explainConfig(options: LoadConfigOptions): Promise<ConfigExplanation> {
  return explainLayers(await readLayers(options));
}

/**
 * The texts of every layer that are hidden in an explanation, and the secret parts of addresses: to be looked for in
 * what is about to be shown, and never shown themselves.
 *
 * @throws ConfigError as `explainConfig` does
 */
export async function configSecrets(options: LoadConfigOptions): Promise<readonly string[]> {
  const { layers } = await readLayers(options);
  const profiles = layers.flatMap(({ table }) => (isTable(table['profiles']) ? Object.values(table['profiles']) : []));
  return [...layers.map(({ table }) => table), ...profiles].flatMap((table) => secretTexts([], table));
}

function explainLayers(stack: LayerStack): ConfigExplanation {
  const lines = new Map<ConfigLayer, TomlLines>(
    stack.layers.flatMap((layer) => (layer.text === undefined ? [] : [[layer, findTomlLines(layer.text)] as const])),
  );
  const originIn = (layer: ConfigLayer, path: readonly string[]): ConfigOrigin => {
    const fullPath = [...(layer.prefix ?? []), ...path];
    const found = lines.get(layer);
    return {
      kind: layer.kind,
      source: layer.source,
      line: found === undefined ? undefined : lineOfPath(found, fullPath),
      key: dotted(fullPath),
    };
  };
  const merged = stack.reader.merged;
  const settings = leafPaths(merged, []).map((path): ExplainedSetting => {
    const setters = stack.layers.filter(({ table }) => valueAt(table, path) !== undefined).reverse();
    const [origin, ...overridden] = setters.map((layer) => originIn(layer, path));
    if (origin === undefined) throw new Error(`no layer has ${dotted(path)}`); // the merged table is made of them
    const value = withoutSecrets(path, valueAt(merged, path));
    return { key: dotted(path), path, value, origin, overridden, isRead: isKnownKey(path) };
  });
  return {
    settings: settings.sort((left, right) => (left.key < right.key ? -1 : 1)),
    layers: stack.layers.map(({ kind, source }) => ({ kind, source })),
    disabledFolders: stack.project.facts.allProjectFolders.flatMap(({ path, disabledReason }) =>
      disabledReason === undefined ? [] : [{ path, reason: disabledReason }],
    ),
    misspelled: stack.layers.flatMap((layer) =>
      findMisspelledKeys(layer.table).map(({ path, nearest }) => {
        const { source, line, key } = originIn(layer, path);
        return `${line === undefined ? source : `${source}:${line}`}: ${key} is not read; did you mean ${nearest}?`;
      }),
    ),
  };
}

/** Empty tables say nothing. */
function leafPaths(
  table: Readonly<Record<string, unknown>>,
  parent: readonly string[],
): readonly (readonly string[])[] {
  return Object.entries(table).flatMap(([name, value]) => {
    const path = [...parent, name];
    return isTable(value) ? leafPaths(value, path) : [path];
  });
}
