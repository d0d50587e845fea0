import path from 'node:path';
import { checkChange } from './check-change.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigChange, editConfigFile } from './edit-config.ts';
import { type ConfigLayer, type ConfigTable, isTable, valueAt } from './layers.ts';
import { decodeConfig, type LoadConfigOptions } from './load-config.ts';
import { lineInLayer } from './locate-error.ts';
import { isKnownKey, nearestKey } from './misspelled-keys.ts';
import { isProfileName, profileFile } from './profile-layer.ts';
import { readLayers } from './read-layers.ts';
import { parseKeyPath, parseSettingText } from './setting-key.ts';
import { dotted } from './setting-reader.ts';

export interface SettingChange {
  /** Dotted, see `parseKeyPath`. */
  readonly key: string;
  /** As on the command line; `undefined` takes the setting or the table away. */
  readonly text: string | undefined;
}

export interface SettingChangeOptions extends LoadConfigOptions {
  /** The file of this profile is changed. Default: `config.toml` of the home folder. */
  readonly intoProfile?: string | undefined;
}

export interface SettingChangeOutcome {
  /** Absolute. */
  readonly file: string;
  /** As it is written in the file. */
  readonly key: string;
  /** `false`: the file had it so already. */
  readonly changed: boolean;
  /** Where a stronger value stands, so that the new one does not hold: `FILE:LINE` or `-c`. */
  readonly overriddenBy: string | undefined;
  /** What else a person should know, one sentence each. `fault` is one of them. */
  readonly notices: readonly string[];
  /** Why a run would not start, be it that it would not have before. */
  readonly fault: string | undefined;
}

/**
 * Changes one setting in a file of the user and leaves everything else in it as it is written. Nothing is written when
 * the new value can not be used, the file can not be understood, or the key is a misspelled one.
 *
 * @throws ConfigError
 */
export async function changeSetting(
  change: SettingChange,
  options: SettingChangeOptions,
): Promise<SettingChangeOutcome> {
  const keyPath = await parseKeyPath(change.key);
  const key = dotted(keyPath);
  const file = fileOf(options);
  const value = change.text === undefined ? undefined : await parseSettingText(key, keyPath, change.text);
  const notices = change.text === undefined ? [] : checkKey(keyPath);
  const looking = options.intoProfile === undefined ? options : { ...options, profile: undefined };
  if (value !== undefined) await checkChange({ keyPath, value }, looking);
  const before = await problemsOf(looking);
  let changed = false;
  await editConfigFile(file, (document) => {
    const before = valueAt(document, keyPath);
    changed = JSON.stringify(before, jsonValue) !== JSON.stringify(value, jsonValue);
    return changed ? [changeOf(document, keyPath, value)] : [];
  });
  const after = await problemsOf(looking);
  return {
    file,
    key,
    changed,
    overriddenBy: strongerOrigin(after.layers, { file, keyPath }),
    notices: [
      ...notices,
      ...after.sentences.filter((sentence) => sentence === after.fault || !before.sentences.includes(sentence)),
    ],
    fault: after.fault,
  };
}

/** What keeps a run from starting, or else what it would warn of; and the layers, as far as they can be read. */
async function problemsOf(options: LoadConfigOptions): Promise<{
  readonly sentences: readonly string[];
  readonly fault: string | undefined;
  readonly layers: readonly ConfigLayer[];
}> {
  let layers: readonly ConfigLayer[] = [];
  try {
    const stack = await readLayers(options);
    layers = stack.layers;
    return { sentences: (await decodeConfig(stack, options)).warnings, fault: undefined, layers };
  } catch (error) {
    if (error instanceof ConfigError) return { sentences: [error.message], fault: error.message, layers };
    throw error;
  }
}

/** A table that is not there yet gets a header of its own. */
function changeOf(document: ConfigTable, keyPath: readonly string[], value: unknown): ConfigChange {
  const parent = keyPath.slice(0, -1);
  const name = keyPath.at(-1) ?? '';
  if (value === undefined || parent.length === 0 || isTable(valueAt(document, parent))) return { path: keyPath, value };
  return { path: parent, value: { [name]: value } };
}

function fileOf({ home, intoProfile }: SettingChangeOptions): string {
  if (intoProfile === undefined) return path.join(home, 'config.toml');
  if (isProfileName(intoProfile)) return profileFile(home, intoProfile);
  throw new ConfigError(
    'invalid-value',
    `--profile: must be a plain name such as "work", found ${JSON.stringify(intoProfile.slice(0, 60))}`,
    { source: '--profile' },
  );
}

/** A setting of another program may be kept in the file; a slip may not. */
function checkKey(keyPath: readonly string[]): readonly string[] {
  if (isKnownKey(keyPath)) return [];
  const key = dotted(keyPath);
  const nearest = nearestKey(keyPath);
  if (nearest === undefined) return [`nothing here reads ${key}`];
  throw new ConfigError('invalid-value', `${key} is no setting; did you mean ${nearest}?`, { key, path: keyPath });
}

function strongerOrigin(
  layers: readonly ConfigLayer[],
  { file, keyPath }: { readonly file: string; readonly keyPath: readonly string[] },
): string | undefined {
  const own = layers.findLastIndex(({ source, prefix }) => source === file && prefix === undefined);
  const stronger = layers.findLast(
    ({ kind, table }, index) =>
      index > own && kind !== 'system' && (own !== -1 || kind !== 'user') && valueAt(table, keyPath) !== undefined,
  );
  if (stronger === undefined) return undefined;
  const line = lineInLayer(stronger, keyPath);
  return line === undefined ? stronger.source : `${stronger.source}:${line}`;
}

/** Integers that JSON has no form for, and tables in one order. */
function jsonValue(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
}
