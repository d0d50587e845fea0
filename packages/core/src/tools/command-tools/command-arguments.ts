import type { JsonObject, JsonValue } from '@quire/protocol';
import { resolvePath } from '../../paths.ts';
import { type ArgumentReading, invalid } from '../call-arguments.ts';

/** Source: the peer's default for shell tools. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** A day; also within what timers of the platform can hold. */
const LONGEST_TIMEOUT_MS = 86_400_000;

/** An optional field of one JSON type. A null stands for an absent one: models write it for what is optional. */
export function optional<Kind extends 'string' | 'boolean' | 'number'>(
  args: JsonObject,
  name: string,
  kind: Kind,
): ArgumentReading<FieldTypes[Kind] | undefined> {
  const value: JsonValue | undefined = args[name] ?? undefined;
  if (value === undefined || isKind(value, kind)) return { kind: 'ok', value };
  return invalid(`\`${name}\` must be a ${kind}`);
}

interface FieldTypes {
  readonly string: string;
  readonly boolean: boolean;
  readonly number: number;
}

function isKind<Kind extends keyof FieldTypes>(value: unknown, kind: Kind): value is FieldTypes[Kind] {
  return typeof value === kind;
}

/** The script that `field` holds. */
export function readScript(args: JsonObject, field: string): ArgumentReading<string> {
  const script = args[field] ?? undefined;
  if (script === undefined) return invalid(`missing field \`${field}\``);
  return typeof script === 'string'
    ? { kind: 'ok', value: script }
    : invalid(`\`${field}\` must be one string: the script`);
}

/** The directory that `field` names, from `cwd`. */
export function readDirectory(args: JsonObject, field: string, cwd: string): ArgumentReading<string> {
  const reading = optional(args, field, 'string');
  return reading.kind === 'invalid' ? reading : { kind: 'ok', value: resolvePath(cwd, reading.value ?? '.') };
}

export function readTimeout(args: JsonObject): ArgumentReading<number> {
  const timeoutMs = args['timeout_ms'] ?? DEFAULT_TIMEOUT_MS;
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 1)) return invalid('`timeout_ms` must be a positive number');
  return { kind: 'ok', value: Math.min(Math.ceil(timeoutMs), LONGEST_TIMEOUT_MS) };
}

/** Milliseconds between two bounds; what is outside of them is moved to the next one. */
export function readYield(
  args: JsonObject,
  limits: { readonly defaultMs: number; readonly leastMs: number; readonly mostMs: number },
): ArgumentReading<number> {
  const reading = optional(args, 'yield_time_ms', 'number');
  if (reading.kind === 'invalid') return reading;
  const yieldMs = Math.ceil(reading.value ?? limits.defaultMs);
  return { kind: 'ok', value: Math.min(Math.max(yieldMs, limits.leastMs), limits.mostMs) };
}
