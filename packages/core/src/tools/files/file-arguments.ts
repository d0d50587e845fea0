import type { JsonObject } from '@quire/protocol';
import { type ArgumentReading, invalid } from '../call-arguments.ts';

/** The arguments are of the right types and can not be used all the same. */
export function unusable(message: string): { readonly kind: 'invalid'; readonly message: string } {
  return { kind: 'invalid', message };
}

export function readText(args: JsonObject, name: string): ArgumentReading<string> {
  const value = args[name];
  if (value === undefined || value === null) return invalid(`missing field \`${name}\``);
  return typeof value === 'string' ? { kind: 'ok', value } : invalid(`\`${name}\` must be a string`);
}

/** Absent and blank are the same: `undefined`. */
export function readOptionalText(args: JsonObject, name: string): ArgumentReading<string | undefined> {
  const value = args[name];
  if (value === undefined || value === null) return { kind: 'ok', value: undefined };
  if (typeof value !== 'string') return invalid(`\`${name}\` must be a string`);
  return { kind: 'ok', value: value.trim() === '' ? undefined : value.trim() };
}

/** A path that depends on no working directory. */
export function readAbsolutePath(args: JsonObject, name: string): ArgumentReading<string> {
  const path = readText(args, name);
  if (path.kind === 'invalid' || path.value.startsWith('/')) return path;
  return unusable(`\`${name}\` must be an absolute path, and ${JSON.stringify(path.value)} is not`);
}

export interface CountRange {
  /** When the argument is absent. */
  readonly fallback: number;
  /** 1 unless given. */
  readonly min?: 0;
}

/** A whole number. One of the right type that is too small has a message of its own. */
export function readCount(args: JsonObject, name: string, range: CountRange): ArgumentReading<number> {
  const value = args[name] ?? range.fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    return invalid(`\`${name}\` must be a whole number`);
  }
  if (value < (range.min ?? 1)) return unusable(`\`${name}\` must be at least 1`);
  return { kind: 'ok', value };
}

export function readSwitch(
  args: JsonObject,
  name: string,
  { fallback }: { readonly fallback: boolean },
): ArgumentReading<boolean> {
  const value = args[name] ?? fallback;
  return typeof value === 'boolean' ? { kind: 'ok', value } : invalid(`\`${name}\` must be true or false`);
}

/** All values, or the first that is invalid. */
export function collect<Values extends object>(
  readings: {
    readonly [Name in keyof Values]: ArgumentReading<Values[Name]>;
  },
): ArgumentReading<Values> {
  const values: Partial<Values> = {};
  for (const name of Object.keys(readings) as (keyof Values)[]) {
    const reading: ArgumentReading<Values[keyof Values]> = readings[name];
    if (reading.kind === 'invalid') return reading;
    values[name] = reading.value;
  }
  return { kind: 'ok', value: values as Values };
}
