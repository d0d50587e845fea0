import fs from 'node:fs';
import { expect, test } from 'vitest';
import { schemaOfType } from '../../src/config/config-schema.ts';
import { configSchema, FEATURES } from '../../src/config/config-tools.ts';
import { CONFIG_KEYS } from '../../src/index.ts';

const docs = (name: string) => fs.readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

test('the published schema is that of the keys that are read [CFG-60]', () => {
  expect(JSON.parse(docs('config.schema.json'))).toEqual(JSON.parse(JSON.stringify(configSchema())));
});

test('every key has a place in the schema, with its meaning [CFG-60]', () => {
  for (const { key, meaning } of CONFIG_KEYS) {
    const node = key.split('.').reduce<unknown>((schema, name) => childOf(schema, name), configSchema());
    expect([key, (node as { description?: unknown } | undefined)?.description]).toEqual([key, meaning]);
  }
});

function childOf(schema: unknown, name: string): unknown {
  const { properties, additionalProperties, anyOf } = schema as {
    properties?: Record<string, unknown>;
    additionalProperties?: unknown;
    anyOf?: readonly unknown[];
  };
  if (name.startsWith('<')) return additionalProperties;
  return properties?.[name] ?? anyOf?.map((part) => childOf(part, name)).find((part) => part !== undefined);
}

test.each([
  ['string', { type: 'string' }],
  ['integer ≥ 1', { type: 'integer', minimum: 1 }],
  ['`a`, `b-c`', { type: 'string', enum: ['a', 'b-c'] }],
  ['list of `a`, `b`', { type: 'array', items: { type: 'string', enum: ['a', 'b'] } }],
  ['`a`, or a table', { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'object' }] }],
])('the type %s has its schema [CFG-60]', (type, schema) => {
  expect(schemaOfType(type)).toEqual(schema);
});

test('a type that nobody knows is a mistake [CFG-60]', () => {
  expect(() => schemaOfType('sring')).toThrow('no schema is known for the type "sring"');
});

test('the documentation lists every feature with stage and default [CFG-61]', () => {
  const rows = docs('features.md')
    .split('\n')
    .filter((line) => /^\| `.*(?:\|.*){4}/.test(line))
    .map((line) => line.slice(2, -2).split(' | '));
  expect(rows).toEqual(
    FEATURES.map(({ name, stage, defaultEnabled, meaning }) => [
      `\`${name}\``,
      stage.replaceAll('-', ' '),
      defaultEnabled ? 'on' : 'off',
      meaning,
    ]),
  );
});
