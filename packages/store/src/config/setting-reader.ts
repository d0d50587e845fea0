import path from 'node:path';
import { ConfigError } from './config-error.ts';
import type { ConfigKeyName } from './config-keys.ts';
import { type ConfigLayer, type ConfigTable, isTable, mergeLayers, originOf, valueAt } from './layers.ts';

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
  readonly #layers: readonly ConfigLayer[];
  readonly #merged: ConfigTable;
  readonly #homeDirectory: string;

  /** @param layers lowest first */
  constructor(layers: readonly ConfigLayer[], options: { readonly homeDirectory: string }) {
    this.#layers = layers;
    this.#merged = mergeLayers(layers);
    this.#homeDirectory = options.homeDirectory;
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

  stringList(setting: SettingPath): readonly string[] | undefined {
    return this.#typed(segmentsOf(setting), 'a list of strings', isStringList);
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
  requireTable(name: 'sandbox_workspace_write' | 'tools' | 'compaction' | 'agents'): void {
    this.#typed([name], 'a table', isTable);
  }

  /** Throws unless the entry is a table or not set. */
  requireEntryTable(name: 'model_providers' | 'mcp_servers', id: string): ConfigTable | undefined {
    return this.#typed([name, id], 'a table', isTable);
  }

  /** The value as it is, for settings that have more than one form. */
  raw(setting: SettingPath): unknown {
    return valueAt(this.#merged, segmentsOf(setting));
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
      ...(source === undefined ? {} : { source }),
      cause,
    });
  }

  #typed<Value>(
    segments: readonly string[],
    expected: string,
    accepts: (value: unknown) => value is Value,
  ): Value | undefined {
    const value = valueAt(this.#merged, segments);
    if (value === undefined || accepts(value)) return value;
    const key = dotted(segments);
    const source = this.#sourceOf(segments) ?? 'configuration';
    // The value itself stays out of the message: it may be a secret in the wrong place.
    throw new ConfigError('wrong-type', `${source}: ${key} must be ${expected}, found ${describeType(value)}`, {
      key,
      source,
    });
  }

  #sourceOf(segments: readonly string[]): string | undefined {
    return originOf(this.#layers, segments)?.source;
  }

  #absolute(value: string, segments: readonly string[]): string {
    if (value === '~') return this.#homeDirectory;
    if (value.startsWith('~/')) return path.join(this.#homeDirectory, value.slice(2));
    return path.resolve(originOf(this.#layers, segments)?.baseDirectory ?? this.#homeDirectory, value);
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

function dotted(segments: readonly string[]): string {
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
