import type { JsonObject } from '@quire/protocol';
import { expect, test } from 'vitest';
import { parseSearchAction, searchDetail, searchText } from '../../../src/tools/web-search/search-action.ts';

const PAGE = 'https://example.org/a';

test.each<[JsonObject | undefined, ReturnType<typeof parseSearchAction>, string, string, string]>([
  [
    { type: 'search', query: 'tides' },
    { kind: 'search', queries: ['tides'] },
    'tides',
    'Web search: tides',
    'Web search done: tides',
  ],
  [
    { type: 'search', query: 'tides', queries: ['tides', 'moon'] },
    { kind: 'search', queries: ['tides'] },
    'tides',
    'Web search: tides',
    'Web search done: tides',
  ],
  [
    { type: 'search', query: '', queries: ['tides', 'moon'] },
    { kind: 'search', queries: ['tides', 'moon'] },
    'tides ...',
    'Web search: tides; moon',
    'Web search done: tides; moon',
  ],
  [
    { type: 'search', queries: ['moon'] },
    { kind: 'search', queries: ['moon'] },
    'moon',
    'Web search: moon',
    'Web search done: moon',
  ],
  [{ type: 'search', queries: [7] }, { kind: 'search', queries: [] }, '', 'Web search', 'Web search done'],
  [{ type: 'search' }, { kind: 'search', queries: [] }, '', 'Web search', 'Web search done'],
  [
    { type: 'open_page', url: PAGE },
    { kind: 'open-page', url: PAGE },
    PAGE,
    `Opening a page: ${PAGE}`,
    `Opened a page: ${PAGE}`,
  ],
  [{ type: 'open_page', url: null }, { kind: 'open-page', url: undefined }, '', 'Opening a page', 'Opened a page'],
  [
    { type: 'find_in_page', url: PAGE, pattern: 'tide' },
    { kind: 'find-in-page', url: PAGE, pattern: 'tide' },
    `'tide' in ${PAGE}`,
    `Looking in a page: 'tide' in ${PAGE}`,
    `Looked in a page: 'tide' in ${PAGE}`,
  ],
  [
    { type: 'find_in_page', pattern: 'tide' },
    { kind: 'find-in-page', url: undefined, pattern: 'tide' },
    `'tide'`,
    `Looking in a page: 'tide'`,
    `Looked in a page: 'tide'`,
  ],
  [
    { type: 'find_in_page', url: PAGE },
    { kind: 'find-in-page', url: PAGE, pattern: undefined },
    PAGE,
    `Looking in a page: ${PAGE}`,
    `Looked in a page: ${PAGE}`,
  ],
  [undefined, { kind: 'unannounced' }, '', 'Using the web', 'Used the web'],
  [{ type: 'other' }, { kind: 'unannounced' }, '', 'Using the web', 'Used the web'],
  [
    { type: 'teleport', to: 'x' },
    { kind: 'unknown', action: { type: 'teleport', to: 'x' } },
    '',
    'Using the web: teleport',
    'Used the web: teleport',
  ],
  [{}, { kind: 'unknown', action: {} }, '', 'Using the web', 'Used the web'],
])('%j is read and told to people [WEB-07] [WEB-08] [WEB-09]', (raw, action, detail, underWay, done) => {
  const parsed = parseSearchAction(raw);
  expect(parsed).toEqual(action);
  expect(searchDetail(parsed)).toBe(detail);
  expect([searchText(parsed, 'under-way'), searchText(parsed, 'done')]).toEqual([underWay, done]);
});
