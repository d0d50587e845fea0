/** Layers of configuration, lowest first, and how they become one table. */

/** A TOML table. Has no prototype, so that a key such as `__proto__` is a key like any other. */
export interface ConfigTable {
  [key: string]: unknown;
}

/**
 * Where a layer comes from, lowest first. `managed` is what an administrator has the last word on; `command-line` is
 * everything given with `-c`.
 */
export type LayerKind = 'system' | 'user' | 'profile' | 'project' | 'command-line' | 'managed';

export interface ConfigLayer {
  readonly kind: LayerKind;
  /** What errors call it: the absolute path of a file, or `-c`. */
  readonly source: string;
  /** The tables of the file that the layer stands in. Absent: it is the whole file. */
  readonly prefix?: readonly string[];
  /** What the file holds, to tell lines. Absent for `-c`. */
  readonly text?: string;
  /** Relative paths in this layer start here. Absolute. */
  readonly baseDirectory: string;
  readonly table: ConfigTable;
}

export function createTable(): ConfigTable {
  return Object.create(null) as ConfigTable;
}

/** Dates are objects too, but values. */
export function isTable(value: unknown): value is ConfigTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A copy in which every table is free of a prototype. Tables inside arrays stay as they are. */
export function adoptValue(value: unknown): unknown {
  if (!isTable(value)) return value;
  const copy = createTable();
  mergeInto(copy, value);
  return copy;
}

/** Tables merge key by key; anything else of a higher layer replaces what is below. */
export function mergeLayers(layers: readonly ConfigLayer[]): ConfigTable {
  const merged = createTable();
  for (const layer of layers) mergeInto(merged, layer.table);
  return merged;
}

function mergeInto(target: ConfigTable, upper: ConfigTable): void {
  for (const [key, value] of Object.entries(upper)) {
    if (!isTable(value)) {
      target[key] = value;
      continue;
    }
    const below = target[key];
    const table = isTable(below) ? below : createTable();
    target[key] = table;
    mergeInto(table, value);
  }
}

export function valueAt(table: ConfigTable, path: readonly string[]): unknown {
  let value: unknown = table;
  for (const segment of path) {
    if (!isTable(value) || !Object.hasOwn(value, segment)) return undefined;
    value = value[segment];
  }
  return value;
}

/** The layer that the value at `path` comes from: the highest one that has it, or else what it should stand in. */
export function originOf(layers: readonly ConfigLayer[], path: readonly string[]): ConfigLayer | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const layer = layers.findLast((candidate) => valueAt(candidate.table, path.slice(0, length)) !== undefined);
    if (layer !== undefined) return layer;
  }
  return undefined;
}
