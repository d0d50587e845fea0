import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../src/index.ts';

async function load(file: string, overrides: readonly string[] = []): Promise<Config> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'quire-web-search-'));
  try {
    fs.writeFileSync(path.join(home, 'config.toml'), file);
    return await loadConfig({ home, cwd: '/srv', overrides, environment: { HOME: '/users/me' } });
  } finally {
    fs.rmSync(home, { recursive: true });
  }
}

function search(config: Config) {
  const { webSearch, webSearchAllowedDomains, webSearchContextSize, webSearchLocation, warnings } = config;
  return { webSearch, webSearchAllowedDomains, webSearchContextSize, webSearchLocation, warnings };
}

const NOTHING = {
  webSearch: undefined,
  webSearchAllowedDomains: undefined,
  webSearchContextSize: undefined,
  webSearchLocation: undefined,
  warnings: [],
};

test('mode, filters, amount and place are read [WEB-10]', async () => {
  const file = `web_search = "live"
[tools.web_search]
context_size = "low"
allowed_domains = ["example.org"]
location = { country = "NO", city = "Oslo", planet = "Earth", region = " " }
`;
  expect(search(await load(file))).toEqual({
    webSearch: 'live',
    webSearchAllowedDomains: ['example.org'],
    webSearchContextSize: 'low',
    webSearchLocation: { country: 'NO', city: 'Oslo' },
    warnings: [],
  });
  expect(search(await load('model = "m"'))).toEqual(NOTHING);
});

describe('a feature that chose the mode still does, and its successor is named [WEB-11]', () => {
  const deprecated = (name: string, mode: string) =>
    `features.${name} is deprecated: set web_search = "${mode}" at the top of the file instead`;
  test.each([
    ['[features]\nweb_search_cached = true', 'cached', [deprecated('web_search_cached', 'cached')]],
    ['[features]\nweb_search_request = true', 'live', [deprecated('web_search_request', 'live')]],
    ['[features]\nweb_search = true', 'live', [deprecated('web_search', 'live')]],
    [
      '[features]\nweb_search_request = true\nweb_search_cached = true',
      'cached',
      [deprecated('web_search_cached', 'cached'), deprecated('web_search_request', 'live')],
    ],
    [
      'web_search = "disabled"\n[features]\nweb_search_request = true',
      'disabled',
      [deprecated('web_search_request', 'live')],
    ],
    ['[features]\nweb_search_request = false', undefined, []],
  ])('%j', async (file, webSearch, warnings) => {
    expect(search(await load(file))).toEqual({ ...NOTHING, webSearch, warnings });
  });
});

test('a switch of older files has no effect and a mode of newer ones a near one, and both are said [WEB-12]', async () => {
  expect(search(await load('[tools]\nweb_search = true'))).toEqual({
    ...NOTHING,
    warnings: [
      'tools.web_search = true has no effect: set web_search to "cached" or "live" at the top of the file instead',
    ],
  });
  expect(search(await load('', ['tools.web_search=false']))).toEqual({
    ...NOTHING,
    warnings: ['tools.web_search = false has no effect: set web_search to "disabled" at the top of the file instead'],
  });
  expect(search(await load('web_search = "indexed"'))).toEqual({
    ...NOTHING,
    webSearch: 'cached',
    warnings: ['web_search: "indexed" is not supported and counts as "cached"'],
  });
});

test.each([
  ['tools = 3', 'tools must be a table'],
  ['web_search = "maybe"', 'web_search must be one of disabled, cached, live, found "maybe"'],
  ['tools.web_search = "live"', 'tools.web_search must be true or false, found a string'],
  ['tools.web_search.context_size = "huge"', 'tools.web_search.context_size must be one of low, medium, high'],
  ['tools.web_search.allowed_domains = "example.org"', 'tools.web_search.allowed_domains must be a list of strings'],
  ['tools.web_search.location.city = 7', 'tools.web_search.location.city must be a string, found an integer'],
])('%s is refused with key and expectation [WEB-13]', async (file, message) => {
  await expect(load(file)).rejects.toThrow(message);
});
