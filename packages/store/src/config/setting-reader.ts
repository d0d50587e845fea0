import path from 'node:path';
import { ConfigError } from './config-error.ts';
import type { ConfigKeyName } from './config-keys.ts';
import { type ConfigLayer, type ConfigTable, isTable, mergeLayers, originOf, valueAt } from './layers.ts';

import { TableReader } from './table-reader.ts';

/** A key of the table, and what stands in it for `<id>` or `<name>`. */
export interface SettingPath {
  readonly key: ConfigKeyName;
  readonly id?: string;
  /** Stands for `<name>` where there is an `<id>` as well. */
  readonly name?: string;
}

export interface IntegerRange {
  readonly minimum: number;
  /** Larger values count as this one. */
  readonly cap?: number;
}

/**
 * Reads typed settings out of layers. Everything returns `undefined` for what is not set, and throws
 * ConfigError with key, expectation, finding and source for what is set to something else.
 */
export class SettingReader {
  /** Lowest first. */
  readonly layers: readonly ConfigLayer[];
  /** All layers in one. */
  readonly merged: ConfigTable;
  readonly #homeDirectory: string;

  /** @param layers lowest first */
  constructor(layers: readonly ConfigLayer[], options: { readonly homeDirectory: string }) {
    this.layers = layers;
    this.merged = mergeLayers(layers);
    this.#homeDirectory = options.homeDirectory;
  }

  /** A reader of other layers. */
  with(layers: readonly ConfigLayer[]): SettingReader {
    return new SettingReader(layers, { homeDirectory: this.#homeDirectory });
  }

  string(setting: SettingPath): string | undefined {
    return this.#typed(segmentsOf(setting), 'a string', isString);
  }

  nonEmptyString(setting: SettingPath): string | undefined {
    const value = this.string(setting);
    if (value !== undefined && value.trim() === '') throw this.invalid(setting, 'must not be empty');
    return value;
  }

  boolean(setting: SettingPath): boolean | undefined {
    return this.#typed(segmentsOf(setting), 'true or false', isBoolean);
  }

  integer(setting: SettingPath, range: IntegerRange): number | undefined {
    const value = this.#typed(segmentsOf(setting), 'an integer', isInteger);
    if (value === undefined) return undefined;
    if (value < range.minimum) throw this.invalid(setting, `must be at least ${range.minimum}, found ${value}`);
    if (range.cap !== undefined) return value > range.cap ? range.cap : Number(value);
    if (value > Number.MAX_SAFE_INTEGER) throw this.invalid(setting, `is too large: ${value}`);
    return Number(value);
  }

  /** Above 0; whole or not. */
  positiveNumber(setting: SettingPath): number | undefined {
    const value = this.#typed(segmentsOf(setting), 'a number', isNumber);
    if (value === undefined) return undefined;
    if (!(value > 0)) throw this.invalid(setting, `must be above 0, found ${value}`);
    return Number(value);
  }

  oneOf<const Choice extends string>(setting: SettingPath, choices: readonly Choice[]): Choice | undefined {
    const value = this.string(setting);
    if (value === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    throw this.invalid(setting, `must be one of ${choices.join(', ')}, found ${JSON.stringify(value)}`);
  }

  /** An address that begins with `http://` or `https://`. */
  url(setting: SettingPath): string | undefined {
    const value = this.nonEmptyString(setting);
    if (value === undefined) return undefined;
    const protocol = URL.canParse(value) ? new URL(value).protocol : undefined;
    if (protocol === 'http:' || protocol === 'https:') return value;
    throw this.invalid(setting, 'must be an address that begins with http:// or https://');
  }

  stringList(setting: SettingPath): readonly string[] | undefined {
    return this.#typed(segmentsOf(setting), 'a list of strings', isStringList);
  }

  /** One string counts as a list of it. */
  stringOrList(setting: SettingPath): readonly string[] | undefined {
    const value = this.#typed(segmentsOf(setting), 'a string or a list of strings', isStringOrList);
    return typeof value === 'string' ? [value] : value;
  }

  stringMap(setting: SettingPath): Readonly<Record<string, string>> | undefined {
    const segments = segmentsOf(setting);
    const table = this.#typed(segments, 'a table of strings', isTable);
    if (table === undefined) return undefined;
    const entries = Object.keys(table).map(
      (key) => [key, this.#typed([...segments, key], 'a string', isString) ?? ''] as const,
    );
    return Object.fromEntries(entries);
  }

  /** What stands in it may be anything. */
  table(setting: SettingPath): ConfigTable | undefined {
    return this.#typed(segmentsOf(setting), 'a table', isTable);
  }

  /** Absolute. Relative ones start at the folder of the layer that set them; `~/` is the user's home. */
  path(setting: SettingPath): string | undefined {
    const value = this.nonEmptyString(setting);
    return value === undefined ? undefined : this.#absolute(value, segmentsOf(setting));
  }

  pathList(setting: SettingPath): readonly string[] | undefined {
    return this.stringList(setting)?.map((value) => this.#absolute(value, segmentsOf(setting)));
  }

  /** The keys of the table `name` of the root, none if it is not set. */
  tableKeys(name: 'model_providers' | 'features' | 'projects' | 'mcp_servers'): readonly string[] {
    return Object.keys(this.#typed([name], 'a table', isTable) ?? {});
  }

  /** Throws unless the table `name` of the root is a table or not set. */
  requireTable(
    name: 'sandbox_workspace_write' | 'tools' | 'compaction' | 'agents' | 'otel' | 'shell_environment_policy',
  ): void {
    this.#typed([name], 'a table', isTable);
  }

  /** Throws unless the entry is a table or not set. */
  requireEntryTable(name: 'model_providers' | 'mcp_servers', id: string): ConfigTable | undefined {
    return this.#typed([name, id], 'a table', isTable);
  }

  /** Throws unless the table of the token command is a table or not set. */
  requireTokenCommandTable(id: string): ConfigTable | undefined {
    return this.#typed(['model_providers', id, 'auth'], 'a table', isTable);
  }

  /** Relative paths in the layer that set it start here. */
  baseDirectoryOf(setting: SettingPath): string {
    return originOf(this.layers, segmentsOf(setting))?.baseDirectory ?? this.#homeDirectory;
  }

  /** A path that stands at `path` from the root, as the method `path` reads one. */
  resolveAt(path: readonly string[], value: string): string {
    return this.#absolute(value, path);
  }

  /** The value where it is a table, for settings that have more than one form. */
  tableOrUndefined(setting: SettingPath): TableReader | undefined {
    const value = this.raw(setting);
    if (!isTable(value)) return undefined;
    // Each value may come from another layer.
    const source = (path: readonly string[]): string => this.#sourceOf(path) ?? 'configuration';
    return new TableReader(value, { source, path: segmentsOf(setting) });
  }

  /** The value as it is, for settings that have more than one form. */
  raw(setting: SettingPath): unknown {
    return valueAt(this.merged, segmentsOf(setting));
  }

  /** The layer that set it: a file, or `-c`. */
  sourceOf(setting: SettingPath): string | undefined {
    return this.#sourceOf(segmentsOf(setting));
  }

  /** @param problem a predicate, such as `must not be empty` */
  invalid(setting: SettingPath, problem: string, cause?: unknown): ConfigError {
    const segments = segmentsOf(setting);
    const key = dotted(segments);
    const source = this.#sourceOf(segments);
    const where = source === undefined ? '' : `${source}: `;
    return new ConfigError('invalid-value', `${where}${key} ${problem}`, {
      key,
      path: segments,
      ...(source === undefined ? {} : { source }),
      cause,
    });
  }

  #typed<Value>(
    segments: readonly string[],
    expected: string,
    accepts: (value: unknown) => value is Value,
  ): Value | undefined {
    const value = valueAt(this.merged, segments);
    if (value === undefined || accepts(value)) return value;
    const key = dotted(segments);
    const source = this.#sourceOf(segments) ?? 'configuration';
    // The value itself stays out of the message: it may be a secret in the wrong place.
    throw new ConfigError('wrong-type', `${source}: ${key} must be ${expected}, found ${describeType(value)}`, {
      key,
      path: segments,
      source,
    });
  }

  #sourceOf(segments: readonly string[]): string | undefined {
    return originOf(this.layers, segments)?.source;
  }

  #absolute(value: string, segments: readonly string[]): string {
    if (value === '~') return this.#homeDirectory;
    if (value.startsWith('~/')) return path.join(this.#homeDirectory, value.slice(2));
    return path.resolve(originOf(this.layers, segments)?.baseDirectory ?? this.#homeDirectory, value);
  }
}

function segmentsOf(setting: SettingPath): readonly string[] {
  const { key, id, name = id } = setting;
  return key.split('.').map((segment) => {
    if (!segment.startsWith('<')) return segment;
    return (segment === '<name>' ? name : id) ?? segment;
  });
}

const BARE_KEY = /^[A-Za-z0-9_-]+$/;

/** As TOML writes it: names that are not plain stand in quotes. */
export function dotted(segments: readonly string[]): string {
  return segments.map((segment) => (BARE_KEY.test(segment) ? segment : JSON.stringify(segment))).join('.');
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** TOML integers beyond 2^53 arrive as bigint. */
function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || typeof value === 'number';
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}

function isStringOrList(value: unknown): value is string | readonly string[] {
  return isString(value) || isStringList(value);
}

function describeType(value: unknown): string {
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a boolean';
  if (isInteger(value)) return 'an integer';
  if (typeof value === 'number') return 'a float';
  if (value instanceof Date) return 'a date';
  if (!Array.isArray(value)) return 'a table';
  const odd = value.find((entry) => !isString(entry));
  return odd === undefined ? 'a list' : `a list with ${describeType(odd)}`;
}
