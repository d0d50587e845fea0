import { isJsonObject, type JsonValue } from '@quire/protocol';

/**
 * Where two values first differ, as a path such as `.content[0].text`; empty: the values themselves; `undefined`:
 * nowhere. Objects are equal when their keys stand in the same order: what a prompt cache takes for the same text.
 */
export function differenceOf(left: JsonValue | undefined, right: JsonValue | undefined): string | undefined {
  if (left === right) return undefined;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right)) return '';
    return inArrays(left, right);
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return '';
  const keys = Object.keys(left);
  const otherKeys = Object.keys(right);
  if (keys.length !== otherKeys.length) return '';
  for (const [index, key] of keys.entries()) {
    if (key !== otherKeys[index]) return '';
    const inner = differenceOf(left[key], right[key]);
    if (inner !== undefined) return `.${key}${inner}`;
  }
  return undefined;
}

function inArrays(left: readonly JsonValue[], right: readonly JsonValue[]): string | undefined {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    const inner = differenceOf(left[index], right[index]);
    if (inner !== undefined) return `[${index}]${inner}`;
  }
  return left.length === right.length ? undefined : `[${shared}]`;
}
