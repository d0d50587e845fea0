import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseOverrides, parseTrivialValue } from '../../src/config/overrides.ts';
import { parseTomlValue } from '../../src/config/toml.ts';
import { ConfigError } from '../../src/index.ts';

describe('an override', () => {
  test.each([
    ['a bare word is a string', 'model=o3', { model: 'o3' }],
    ['a number is an integer', 'n=3', { n: 3 }],
    ['a list', 'a=[1,2]', { a: [1, 2] }],
    ['a table', 't={x=1, y = "z"}', { t: { x: 1, y: 'z' } }],
    ['escapes in a TOML string', 'a.b="x \\"q\\""', { a: { b: 'x "q"' } }],
    ['the text is split at the first equals sign', 'url=http://h/?a=b', { url: 'http://h/?a=b' }],
    ['both sides are trimmed', '  model  =  o3  ', { model: 'o3' }],
    ['nothing is an empty string', 'model=', { model: '' }],
    ['quotes left at the end are taken off', `model=o3 x"`, { model: 'o3 x' }],
    ['words with spaces', 'text=two words', { text: 'two words' }],
    ['a float', 'x=1.5', { x: 1.5 }],
    ['a key with dots makes tables', 'a.b.c=true', { a: { b: { c: true } } }],
    ['text that would end the value and start a key', 'x=1\ny=2', { x: '1\ny=2' }],
  ])('%s [STORE-11] [CHECK-38]', async (_title, text, expected) => {
    expect(await parseOverrides([text])).toEqual(expected);
  });

  test('replaces a scalar in the way by a table, and later ones win [STORE-12]', async () => {
    expect(await parseOverrides(['a=1', 'a.b=2', 'a.b=3', 't={x=1}', 't.y=2'])).toEqual({
      a: { b: 3 },
      t: { x: 1, y: 2 },
    });
  });

  test('reaches no prototype, whatever its key [STORE-12]', async () => {
    const table = await parseOverrides([
      'a={}',
      'a.__proto__.polluted=1',
      '__proto__.polluted=1',
      'b.constructor.prototype.polluted=1',
    ]);
    expect(Object.hasOwn(table, '__proto__')).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([
    ['novalue', '-c "novalue" has no "="; write -c key=value, for example -c model=gpt-5'],
    ['mine.token sk-sentinel', '-c "mine.token" has no "="; write -c key=value, for example -c model=gpt-5'],
    [' =x', '-c has no key before "="; write -c key=value, for example -c model=gpt-5'],
  ])('%j is refused [STORE-13] [CHECK-39]', async (text, message) => {
    const error = await parseOverrides([text]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'malformed-override', message, source: '-c' });
  });
});

test.each([
  ['an open list', 'model_reasoning_effort=[1', 'model_reasoning_effort'],
  ['an open table', 'model_providers.x={name="x"', 'model_providers.x'],
  ['an open string', 'model="o3', 'model'],
  ['an open plain string', "model='o3", 'model'],
  ['text after a string', 'model="o3" x', 'model'],
  ['text that starts a second key', 'x=[1]\ny=2', 'x'],
])('%s is refused with its key and what is wrong, without the value [STORE-21]', async (_title, text, key) => {
  const error = await parseOverrides([text]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ code: 'invalid-value', key, source: '-c' });
  expect(String(error)).toMatch(
    new RegExp(`^ConfigError: -c: ${key} is not valid TOML: [a-z ,-]+; close what the value opens, and put`, 'i'),
  );
});

test('the values read by hand are what the TOML library says [STORE-14]', async () => {
  const pieces = [
    '"',
    "'",
    '\\',
    ' ',
    '#',
    '-',
    '+',
    '_',
    '.',
    ':',
    '/',
    '@',
    '0',
    '1',
    '9',
    'a',
    'Z',
    'true',
    'false',
    'inf',
    'nan',
    '\t',
    'é',
    '[',
    '=',
    '\n',
    '\u007f',
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
    fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => `"${parts.join('')}"`),
    fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => `'${parts.join('')}'`),
    fc.string(),
    fc.integer().map(String),
  );
  let byHand = 0;
  await fc.assert(
    fc.asyncProperty(text, async (raw) => {
      const trimmed = raw.trim();
      const trivial = parseTrivialValue(trimmed);
      if (trivial === undefined) return;
      byHand += 1;
      const reading = await parseTomlValue(trimmed);
      expect(trivial).toBe('value' in reading ? reading.value : trimmed);
    }),
    { numRuns: 5000 },
  );
  expect(byHand).toBeGreaterThan(500);
});

test.each([
  'true',
  'false',
  '0',
  '-12',
  '"high"',
  "'high'",
  '"http://127.0.0.1:8080/v1"',
  'gpt-5.1-codex',
  'workspace-write',
])('%s needs no TOML library [STORE-14]', (text) => {
  expect(parseTrivialValue(text)).not.toBeUndefined();
});
