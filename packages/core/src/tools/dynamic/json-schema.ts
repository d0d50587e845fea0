import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';

/** What is wrong with a value, each with its path; empty: it fits. At most a handful. */
export type SchemaCheck = (value: JsonValue) => readonly string[];

type Check = (value: JsonValue, at: string) => readonly string[];

/** Problems told at once: enough to mend a call, short enough to read. */
const MAX_PROBLEMS = 5;
const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'];

/**
 * Prepares the common part of JSON Schema: types, enum and const, properties, items, limits of numbers, lengths and
 * sizes, patterns, and allOf, anyOf, oneOf. Other keywords are passed over, so a value may be accepted that a full
 * validator would refuse, but none is refused that it would accept.
 *
 * Error: `Error` for what is no schema, with the path in it.
 */
export function compileSchema(schema: JsonValue): SchemaCheck {
  const check = compile(schema, '#');
  return (value) => check(value, '').slice(0, MAX_PROBLEMS);
}

function compile(schema: JsonValue, path: string): Check {
  if (schema === true) return () => [];
  if (schema === false) return (_value, at) => [`${named(at)} is not allowed`];
  if (!isJsonObject(schema)) throw new Error(`${path} is no schema: it must be an object or a boolean`);
  const checks = [
    ...typeChecks(schema, path),
    ...choiceChecks(schema, path),
    ...limitChecks(schema, path),
    ...objectChecks(schema, path),
    ...arrayChecks(schema, path),
    ...combinations(schema, path),
  ];
  return (value, at) => {
    const problems: string[] = [];
    for (const check of checks) {
      problems.push(...check(value, at));
      if (problems.length >= MAX_PROBLEMS) break;
    }
    return problems;
  };
}

function typeChecks(schema: JsonObject, path: string): readonly Check[] {
  const type = schema['type'];
  if (type === undefined) return [];
  const allowed = (Array.isArray(type) ? type : [type]) as readonly JsonValue[];
  const unknown = allowed.find((name) => typeof name !== 'string' || !TYPES.includes(name));
  if (unknown !== undefined)
    throw new Error(`${path}/type ${JSON.stringify(unknown)} is not one of ${TYPES.join(', ')}`);
  const wanted = allowed.join(' or ');
  return [
    (value, at) =>
      allowed.some((name) => isOfType(value, String(name)))
        ? []
        : [`${named(at)} must be ${wanted}, found ${typeOf(value)}`],
  ];
}

function isOfType(value: JsonValue, type: string): boolean {
  const found = typeOf(value);
  return found === type || (type === 'number' && found === 'integer');
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function choiceChecks(schema: JsonObject, path: string): readonly Check[] {
  const checks: Check[] = [];
  if (Object.hasOwn(schema, 'const')) {
    const only = schema['const'] ?? null;
    checks.push((value, at) => (sameJson(value, only) ? [] : [`${named(at)} must be ${JSON.stringify(only)}`]));
  }
  const choices = schema['enum'];
  if (choices === undefined) return checks;
  const list = listOf(choices, `${path}/enum`);
  const text = list.map((choice) => JSON.stringify(choice)).join(', ');
  checks.push((value, at) =>
    list.some((choice) => sameJson(value, choice)) ? [] : [`${named(at)} must be one of ${text}`],
  );
  return checks;
}

function limitChecks(schema: JsonObject, path: string): readonly Check[] {
  const checks: Check[] = [];
  const limit = (
    keyword: string,
    measure: (value: JsonValue) => number | undefined,
    rule: { readonly fits: (size: number, bound: number) => boolean; readonly says: (bound: number) => string },
  ): void => {
    const bound = schema[keyword];
    if (typeof bound !== 'number') return;
    checks.push((value, at) => {
      const size = measure(value);
      return size === undefined || rule.fits(size, bound) ? [] : [`${named(at)} ${rule.says(bound)}`];
    });
  };
  const atLeast = (size: number, bound: number): boolean => size >= bound;
  const atMost = (size: number, bound: number): boolean => size <= bound;
  limit('minimum', numberOf, { fits: atLeast, says: (bound) => `must be at least ${bound}` });
  limit('maximum', numberOf, { fits: atMost, says: (bound) => `must be at most ${bound}` });
  limit('exclusiveMinimum', numberOf, { fits: (n, bound) => n > bound, says: (bound) => `must be more than ${bound}` });
  limit('exclusiveMaximum', numberOf, { fits: (n, bound) => n < bound, says: (bound) => `must be less than ${bound}` });
  limit('minLength', lengthOf, { fits: atLeast, says: (bound) => `must have at least ${bound} characters` });
  limit('maxLength', lengthOf, { fits: atMost, says: (bound) => `must have at most ${bound} characters` });
  limit('minItems', itemCountOf, { fits: atLeast, says: (bound) => `must have at least ${bound} items` });
  limit('maxItems', itemCountOf, { fits: atMost, says: (bound) => `must have at most ${bound} items` });
  const pattern = schema['pattern'];
  if (typeof pattern === 'string') {
    const expression = regularExpression(pattern, `${path}/pattern`);
    checks.push((value, at) =>
      typeof value !== 'string' || expression.test(value) ? [] : [`${named(at)} must match the pattern ${pattern}`],
    );
  }
  return checks;
}

function numberOf(value: JsonValue): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Characters, not the units of JavaScript. */
function lengthOf(value: JsonValue): number | undefined {
  return typeof value === 'string' ? [...value].length : undefined;
}

function itemCountOf(value: JsonValue): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}

function objectChecks(schema: JsonObject, path: string): readonly Check[] {
  const properties = compileEach(schema['properties'], `${path}/properties`);
  const patterns = compileEach(schema['patternProperties'], `${path}/patternProperties`).map(
    ([pattern, check]) => [regularExpression(pattern, `${path}/patternProperties`), check] as const,
  );
  const byName = new Map(properties);
  const required = schema['required'] === undefined ? [] : listOf(schema['required'], `${path}/required`).map(String);
  const rest = schema['additionalProperties'];
  const checkRest = rest === undefined ? undefined : compile(rest, `${path}/additionalProperties`);
  const known = [...byName.keys()].join(', ');
  return [
    (value, at) => {
      if (!isJsonObject(value)) return [];
      const missing = required.filter((name) => !Object.hasOwn(value, name));
      const problems = missing.map((name) => `${named(join(at, name))} is missing`);
      for (const [name, entry] of Object.entries(value)) {
        const below = join(at, name);
        const own = byName.get(name);
        const matching = patterns.filter(([expression]) => expression.test(name));
        if (own !== undefined) problems.push(...own(entry, below));
        for (const [, check] of matching) problems.push(...check(entry, below));
        if (own !== undefined || matching.length > 0) continue;
        if (rest === false)
          problems.push(`${named(below)} is not known here${known === '' ? '' : `; known are ${known}`}`);
        else problems.push(...(checkRest?.(entry, below) ?? []));
      }
      return problems;
    },
  ];
}

function compileEach(schemas: JsonValue | undefined, path: string): readonly (readonly [string, Check])[] {
  if (schemas === undefined) return [];
  if (!isJsonObject(schemas)) throw new Error(`${path} must be an object of schemas`);
  return Object.entries(schemas).map(([name, schema]) => [name, compile(schema, `${path}/${name}`)] as const);
}

/** A list under `items` is how older drafts spelled `prefixItems`. */
function arrayChecks(schema: JsonObject, path: string): readonly Check[] {
  const { items, prefixItems } = schema as { readonly items?: JsonValue; readonly prefixItems?: JsonValue };
  const leading = prefixItems ?? (Array.isArray(items) ? (items as readonly JsonValue[]) : []);
  const first = listOf(leading, `${path}/prefixItems`).map((entry, index) =>
    compile(entry, `${path}/prefixItems/${index}`),
  );
  const others = items === undefined || Array.isArray(items) ? undefined : compile(items, `${path}/items`);
  if (first.length === 0 && others === undefined) return [];
  return [
    (value, at) => {
      if (!Array.isArray(value)) return [];
      const problems: string[] = [];
      for (const [index, entry] of (value as readonly JsonValue[]).entries()) {
        problems.push(...((first[index] ?? others)?.(entry, `${at}[${index}]`) ?? []));
        if (problems.length >= MAX_PROBLEMS) break;
      }
      return problems;
    },
  ];
}

function combinations(schema: JsonObject, path: string): readonly Check[] {
  const compileAll = (keyword: string): readonly Check[] =>
    schema[keyword] === undefined
      ? []
      : listOf(schema[keyword], `${path}/${keyword}`).map((entry, index) =>
          compile(entry, `${path}/${keyword}/${index}`),
        );
  const checks = [...compileAll('allOf')];
  const any = compileAll('anyOf');
  if (any.length > 0) {
    checks.push((value, at) => {
      const failures = any.map((check) => check(value, at));
      return failures.some((problems) => problems.length === 0) ? [] : [noneFits(failures, at)];
    });
  }
  const one = compileAll('oneOf');
  if (one.length > 0) {
    checks.push((value, at) => {
      const failures = one.map((check) => check(value, at));
      const fitting = failures.filter((problems) => problems.length === 0).length;
      if (fitting === 1) return [];
      return [
        fitting === 0 ? noneFits(failures, at) : `${named(at)} fits ${fitting} of the forms, and must fit exactly one`,
      ];
    });
  }
  return checks;
}

function noneFits(failures: readonly (readonly string[])[], at: string): string {
  const reasons = failures.slice(0, MAX_PROBLEMS).map((problems) => problems[0] ?? '');
  return `${named(at)} fits none of the allowed forms (${reasons.join(', or ')})`;
}

function listOf(value: JsonValue | undefined, path: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw new Error(`${path} must be a list`);
  return value;
}

/** Patterns of JSON Schema are not anchored. */
function regularExpression(pattern: string, path: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    // Older drafts take escapes that the flag forbids.
  }
  try {
    return new RegExp(pattern);
  } catch (cause) {
    throw new Error(`${path} ${JSON.stringify(pattern)} is no regular expression`, { cause });
  }
}

function join(at: string, name: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${at}[${JSON.stringify(name)}]`;
  return at === '' ? name : `${at}.${name}`;
}

function named(at: string): string {
  return at === '' ? 'the whole' : `\`${at}\``;
}

function sameJson(left: JsonValue, right: JsonValue): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      (left as readonly JsonValue[]).every((entry, index) => sameJson(entry, right[index] ?? null))
    );
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && sameJson(left[name] ?? null, right[name] ?? null))
  );
}
