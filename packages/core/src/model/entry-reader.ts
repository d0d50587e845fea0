import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';

const MAX_VALUE_CHARACTERS = 40;

/** Reads the fields of one catalog entry and collects what is wrong with them, so that all of it can be told. */
export class EntryReader {
  readonly problems: string[] = [];
  readonly #entry: JsonObject;
  readonly #name: string;

  constructor(entry: JsonObject, { index }: { readonly index: number }) {
    this.#entry = entry;
    const slug = entry['slug'];
    this.#name = typeof slug === 'string' && slug !== '' ? `model ${printable(slug)}` : `entry ${index + 1}`;
  }

  /** `undefined` for a field that is absent or null. */
  value(field: string): JsonValue | undefined {
    return this.#entry[field] ?? undefined;
  }

  requiredString(field: string): string {
    const text = this.string(field);
    if (text !== undefined && text !== '') return text;
    if (text === '' || this.value(field) === undefined) this.missing(field, 'a text');
    return '';
  }

  string(field: string): string | undefined {
    const value = this.value(field);
    if (value === undefined || typeof value === 'string') return value;
    this.wrong(field, 'a text');
    return undefined;
  }

  requiredBoolean(field: string): boolean {
    if (this.value(field) === undefined) this.missing(field, 'true or false');
    return this.boolean(field, { absent: false });
  }

  boolean(field: string, { absent }: { readonly absent: boolean }): boolean {
    const value = this.value(field);
    if (typeof value === 'boolean') return value;
    if (value !== undefined) this.wrong(field, 'true or false');
    return absent;
  }

  requiredInteger(field: string): number {
    if (this.value(field) === undefined) this.missing(field, 'a whole number');
    return this.integer(field) ?? 0;
  }

  integer(field: string): number | undefined {
    const value = this.value(field);
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
    this.wrong(field, 'a whole number');
    return undefined;
  }

  /** Tokens; 0 and less say nothing. */
  tokens(field: string): number | undefined {
    const count = this.integer(field);
    return count !== undefined && count > 0 ? count : undefined;
  }

  requiredOneOf<Word extends string>(field: string, words: readonly Word[]): Word | undefined {
    if (this.value(field) === undefined) this.missing(field, oneOf(words));
    return this.oneOf(field, words);
  }

  oneOf<Word extends string>(field: string, words: readonly Word[]): Word | undefined {
    const value = this.value(field);
    if (value === undefined) return undefined;
    const word = words.find((known) => known === value);
    if (word === undefined) this.wrong(field, oneOf(words));
    return word;
  }

  requiredList(field: string): readonly JsonValue[] {
    if (this.value(field) === undefined) this.missing(field, 'a list');
    return this.list(field) ?? [];
  }

  list(field: string): readonly JsonValue[] | undefined {
    const value = this.value(field);
    if (value === undefined) return undefined;
    if (Array.isArray(value)) return value;
    this.wrong(field, 'a list');
    return undefined;
  }

  strings(field: string): readonly string[] | undefined {
    const list = this.list(field);
    const texts = list?.filter((value) => typeof value === 'string');
    if (texts?.length !== list?.length) this.wrong(field, 'a list of texts');
    return texts;
  }

  object(field: string): JsonObject | undefined {
    const value = this.value(field);
    if (value === undefined || isJsonObject(value)) return value;
    this.wrong(field, 'an object');
    return undefined;
  }

  missing(field: string, expected: string): void {
    this.problems.push(`${this.#name} has no ${field} (expected ${expected})`);
  }

  wrong(field: string, expected: string): void {
    const found = JSON.stringify(this.value(field) ?? null);
    this.problems.push(`${this.#name} has ${field} = ${printable(found)} (expected ${expected})`);
  }
}

function oneOf(words: readonly string[]): string {
  return `one of ${words.join(', ')}`;
}

/** What a server sent may hold anything; a message is one short line. */
function printable(text: string): string {
  const line = text.replace(/[^\x20-\x7e]+/g, ' ');
  return line.length > MAX_VALUE_CHARACTERS ? `${line.slice(0, MAX_VALUE_CHARACTERS)}...` : line;
}
