import type { JsonObject, JsonValue } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { compileSchema } from '../../../src/tools/dynamic/json-schema.ts';

/** Schema, a value that fits, one that does not, and what is wrong with it. */
type Row = readonly [keyword: string, schema: JsonObject, good: JsonValue, bad: JsonValue, problem: string];

const ROWS: readonly Row[] = [
  ['type', { type: 'string' }, 'a', 1, 'the whole must be string, found integer'],
  ['type integer', { type: 'integer' }, 2, 2.5, 'the whole must be integer, found number'],
  ['type number takes integers', { type: 'number' }, 2, '2', 'the whole must be number, found string'],
  ['type null', { type: 'null' }, null, {}, 'the whole must be null, found object'],
  ['type boolean', { type: 'boolean' }, false, 'false', 'the whole must be boolean, found string'],
  ['several types', { type: ['string', 'null'] }, null, [], 'the whole must be string or null, found array'],
  ['const', { const: { a: [1] } }, { a: [1] }, { a: [1, 2] }, 'the whole must be {"a":[1]}'],
  ['enum', { enum: ['a', 1, null] }, null, 'b', 'the whole must be one of "a", 1, null'],
  ['enum of objects', { enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, { a: 1 }, 'the whole must be one of {"a":1,"b":2}'],
  ['minimum', { minimum: 1 }, 1, 0, 'the whole must be at least 1'],
  ['maximum', { maximum: 1 }, 1, 2, 'the whole must be at most 1'],
  ['exclusiveMinimum', { exclusiveMinimum: 1 }, 2, 1, 'the whole must be more than 1'],
  ['exclusiveMaximum', { exclusiveMaximum: 1 }, 0, 1, 'the whole must be less than 1'],
  ['minLength', { minLength: 2 }, 'ab', '💡', 'the whole must have at least 2 characters'],
  ['maxLength', { maxLength: 1 }, '💡', 'ab', 'the whole must have at most 1 characters'],
  ['minItems', { minItems: 1 }, [1], [], 'the whole must have at least 1 items'],
  ['maxItems', { maxItems: 1 }, [1], [1, 2], 'the whole must have at most 1 items'],
  ['pattern', { pattern: 'b+' }, 'abbc', 'ac', 'the whole must match the pattern b+'],
  ['an old pattern', { pattern: '^[\\w\\-.]+$' }, 'a-b.c', 'a b', 'the whole must match the pattern ^[\\w\\-.]+$'],
  ['a pattern of whole characters', { pattern: '^.$' }, '💡', 'ab', 'the whole must match the pattern ^.$'],
  ['limits of other types', { minimum: 5, minLength: 5, minItems: 5 }, true, 1, 'the whole must be at least 5'],
  ['required', { required: ['a'] }, { a: null }, {}, '`a` is missing'],
  ['required and inherited names', { required: ['toString'] }, { toString: 1 }, {}, '`toString` is missing'],
  ['properties', { properties: { a: { type: 'string' } } }, { b: 1 }, { a: 1 }, '`a` must be string, found integer'],
  [
    'no additional properties',
    { properties: { a: true, b: true }, additionalProperties: false },
    { a: 1 },
    { c: 1 },
    '`c` is not known here; known are a, b',
  ],
  ['no properties at all', { additionalProperties: false }, {}, { 'a b': 1 }, '`["a b"]` is not known here'],
  [
    'additional properties of a form',
    { additionalProperties: { type: 'number' } },
    { a: 1 },
    { a: 'x' },
    '`a` must be number, found string',
  ],
  [
    'patternProperties',
    { patternProperties: { '^n_': { type: 'number' } }, additionalProperties: false },
    { n_a: 1 },
    { n_a: 'x' },
    '`n_a` must be number, found string',
  ],
  ['items', { items: { type: 'string' } }, ['a'], ['a', 1], '`[1]` must be string, found integer'],
  ['prefixItems', { prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 1], '`[1]` is not allowed'],
  ['a list of items', { items: [{ type: 'string' }] }, ['a', 1], [1], '`[0]` must be string, found integer'],
  ['allOf', { allOf: [{ type: 'string' }, { minLength: 1 }] }, 'a', '', 'the whole must have at least 1 characters'],
  [
    'anyOf',
    { anyOf: [{ type: 'string' }, { type: 'number' }] },
    1,
    true,
    'the whole fits none of the allowed forms (the whole must be string, found boolean, or the whole must be number, found boolean)',
  ],
  [
    'oneOf and none',
    { oneOf: [{ const: 1 }, { const: 2 }] },
    2,
    3,
    'the whole fits none of the allowed forms (the whole must be 1, or the whole must be 2)',
  ],
  [
    'oneOf and several',
    { oneOf: [{ minimum: 1 }, { minimum: 5 }] },
    3,
    7,
    'the whole fits 2 of the forms, and must fit exactly one',
  ],
  [
    'a path',
    DEEP(),
    { list: [{ name: 'x' }] },
    { list: [{ name: 'x' }, { name: 2 }] },
    '`list[1].name` must be string, found integer',
  ],
];

function DEEP(): JsonObject {
  const entry = { type: 'object', properties: { name: { type: 'string' } } };
  return { type: 'object', properties: { list: { type: 'array', items: entry } } };
}

describe('arguments are checked against the common part of JSON Schema, and the path is named [DYN-02]', () => {
  test.each(ROWS)('%s', (_keyword, schema, good, bad, problem) => {
    const check = compileSchema(schema);
    expect(check(good)).toEqual([]);
    expect(check(bad)).toEqual([problem]);
  });
});

test('keywords that are not known here are passed over [DYN-03]', () => {
  const check = compileSchema({ $ref: '#/nowhere', not: {}, format: 'email', title: 'x', $defs: { a: 7 } });
  expect(check('anything')).toEqual([]);
});

test('of many problems a handful is told [DYN-04]', () => {
  const check = compileSchema({ items: { type: 'string' } });
  expect(check(Array.from({ length: 100_000 }, () => 1))).toEqual(
    [0, 1, 2, 3, 4].map((index) => `\`[${index}]\` must be string, found integer`),
  );
});

test('names of the prototype are names like any other [DYN-02]', () => {
  const check = compileSchema({ properties: { constructor: { type: 'string' } }, additionalProperties: false });
  expect(check(JSON.parse('{"__proto__": 1}') as JsonValue)).toEqual([
    '`__proto__` is not known here; known are constructor',
  ]);
  expect(check({})).toEqual([]);
});

test.each<[JsonValue, string]>([
  [3, '# is no schema: it must be an object or a boolean'],
  [{ type: 'text' }, '#/type "text" is not one of string, number, integer, boolean, null, array, object'],
  [{ properties: { a: 'string' } }, '#/properties/a is no schema: it must be an object or a boolean'],
  [{ properties: [] }, '#/properties must be an object of schemas'],
  [{ items: { pattern: '(' } }, '#/items/pattern "(" is no regular expression'],
  [{ anyOf: {} }, '#/anyOf must be a list'],
  [{ required: 'a' }, '#/required must be a list'],
])('%j is refused as a schema, with the place in it [DYN-05]', (schema, message) => {
  expect(() => compileSchema(schema)).toThrow(new Error(message));
});
