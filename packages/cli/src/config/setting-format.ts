import { safeLine } from '../exec/safe-text.ts';

/** What these lines are made of: a part of what the store explains. */
export interface ShownSetting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: ShownOrigin;
  readonly overridden: readonly ShownOrigin[];
}

export interface ShownOrigin {
  readonly kind: string;
  readonly source: string;
  readonly line: number | undefined;
  readonly key: string;
}

/** As a line of TOML. */
export function settingLine({ key, value, origin }: ShownSetting, options: { readonly origin: boolean }): string {
  const line = `${safeLine(key)} = ${safeLine(tomlText(value))}`;
  return options.origin ? `${line}  # ${safeLine(originText(origin))}` : line;
}

export function originText({ kind, source, line }: ShownOrigin): string {
  const place = line === undefined ? source : `${source}:${line}`;
  return `${place} (${kind.replaceAll('-', ' ')})`;
}

/** A string as it is, anything else as TOML. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : tomlText(value);
}

/** One line. JSON strings are TOML strings too. */
function tomlText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map(tomlText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([name, entry]) => `${keyText(name)} = ${tomlText(entry)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function keyText(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

/** Integers that JSON readers would round become strings. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_name, entry: unknown) => (typeof entry === 'bigint' ? String(entry) : entry), 2);
}
