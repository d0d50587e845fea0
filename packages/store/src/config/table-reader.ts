import { ConfigError } from './config-error.ts';
import { type ConfigTable, isTable } from './layers.ts';

export interface TablePlace {
  /** The file; or which one it is by the path of a value, where the table is made of several. */
  readonly source: string | ((path: readonly string[]) => string);
  /** Of the table. Absent: it is the whole file. */
  readonly path?: readonly string[];
}

/** Reads typed values out of one table. Each method throws ConfigError with file and key. */
export class TableReader {
  readonly #table: ConfigTable;
  readonly #source: TablePlace['source'];
  readonly #path: readonly string[];

  constructor(table: ConfigTable, place: TablePlace) {
    this.#table = table;
    this.#source = place.source;
    this.#path = place.path ?? [];
  }

  keys(): readonly string[] {
    return Object.keys(this.#table);
  }

  /** From the root. */
  pathOf(key: string): readonly string[] {
    return [...this.#path, key];
  }

  table(key: string): TableReader | undefined {
    const value = this.#table[key];
    if (value === undefined) return undefined;
    if (!isTable(value)) throw this.#wrongType(key, 'a table');
    return new TableReader(value, { source: this.#source, path: this.pathOf(key) });
  }

  tables(key: string): readonly TableReader[] | undefined {
    const value = this.#table[key];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every(isTable)) throw this.#wrongType(key, 'a list of tables');
    return value.map((table, index) => {
      const path = [...this.pathOf(key), String(index)];
      return new TableReader(table, { source: this.#source, path });
    });
  }

  string(key: string): string | undefined {
    const value = this.#table[key];
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrongType(key, 'a string');
  }

  requiredBoolean(key: string): boolean {
    const value = this.#table[key];
    if (typeof value === 'boolean') return value;
    throw this.#wrongType(key, 'true or false');
  }

  stringMap(key: string): Readonly<Record<string, string>> {
    const table = this.table(key);
    return Object.fromEntries(table?.keys().map((name) => [name, table.string(name) ?? '']) ?? []);
  }

  /** An address that begins with `http://` or `https://`. */
  url(key: string): string | undefined {
    const value = this.string(key);
    if (value === undefined) return undefined;
    const protocol = URL.canParse(value) ? new URL(value).protocol : undefined;
    if (protocol === 'http:' || protocol === 'https:') return value;
    throw this.invalid(key, 'must be an address that begins with http:// or https://');
  }

  stringList(key: string): readonly string[] | undefined {
    const value = this.#table[key];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
    throw this.#wrongType(key, 'a list of strings');
  }

  oneOf<const Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.string(key);
    return value === undefined ? undefined : this.#choice(key, { value, choices });
  }

  listOf<const Choice extends string>(key: string, choices: readonly Choice[]): readonly Choice[] | undefined {
    return this.stringList(key)?.map((value) => this.#choice(key, { value, choices }));
  }

  /** @param problem a predicate, such as `must not be empty` */
  invalid(key: string, problem: string): ConfigError {
    return this.#error('invalid-value', key, problem);
  }

  #choice<Choice extends string>(
    key: string,
    { value, choices }: { readonly value: string; readonly choices: readonly Choice[] },
  ): Choice {
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    throw this.invalid(key, `may be ${choices.join(', ')}, found ${JSON.stringify(value.slice(0, 60))}`);
  }

  #wrongType(key: string, expected: string): ConfigError {
    return this.#error('wrong-type', key, `must be ${expected}`);
  }

  #error(code: 'invalid-value' | 'wrong-type', name: string, problem: string): ConfigError {
    const path = this.pathOf(name);
    const key = path.join('.');
    const source = typeof this.#source === 'string' ? this.#source : this.#source(path);
    return new ConfigError(code, `${source}: ${key} ${problem}`, { key, path, source });
  }
}
