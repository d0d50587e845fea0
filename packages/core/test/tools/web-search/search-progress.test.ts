import type { JsonObject, ModelEvent, WebSearchCallItem } from '@quire/protocol';
import { expect, test } from 'vitest';
import { done, openTestThread, step } from '../../thread/harness.ts';

function begun(id: string): ModelEvent {
  return { kind: 'item-start', item: { type: 'web_search_call', id, status: 'in_progress' } };
}

function ended(id: string, action?: JsonObject): ModelEvent {
  const item: WebSearchCallItem = { type: 'web_search_call', id, status: 'completed' };
  return { kind: 'item-end', item: action === undefined ? item : { ...item, action } };
}

const ACTIONS: readonly (readonly [id: string, action: JsonObject, query: string])[] = [
  ['ws-1', { type: 'search', queries: ['tides', 'moon'] }, 'tides ...'],
  ['ws-2', { type: 'open_page', url: 'https://example.org/a' }, 'https://example.org/a'],
  ['ws-3', { type: 'find_in_page', url: 'https://example.org/a', pattern: 'tide' }, "'tide' in https://example.org/a"],
  ['ws-4', { type: 'teleport', to: 'x' }, ''],
];

test('a search is shown from its start, whatever it turns out to be, also beside others [WEB-14]', async () => {
  const events = [...ACTIONS.map(([id]) => begun(id)), ...ACTIONS.map(([id, action]) => ended(id, action))];
  const on = openTestThread({ steps: [step(events, done())] });
  expect(await on.run('Look it up.')).toMatchObject({ kind: 'completed' });
  const shown = on.events.flatMap((event) =>
    (event.kind === 'item-start' || event.kind === 'item-end') && event.item.kind === 'web-search'
      ? [[event.kind, event.item.id, event.item.query, event.item.action]]
      : [],
  );
  expect(shown).toEqual([
    ...ACTIONS.map(([id]) => ['item-start', id, '', { type: 'other' }]),
    ...ACTIONS.map(([id, action, query]) => ['item-end', id, query, action]),
  ]);
  // What the provider said is what it gets back, a kind that nobody knows included.
  expect(on.thread.history.filter((item) => item.type === 'web_search_call')).toEqual(
    ACTIONS.map(([id, action]) => ({ type: 'web_search_call', id, status: 'completed', action })),
  );
});

test('a search that never says what it did is kept without an action [WEB-14]', async () => {
  const on = openTestThread({ steps: [step([begun('ws-1'), ended('ws-1')], done())] });
  await on.run('Look it up.');
  expect(on.thread.history.at(-1)).toEqual({ type: 'web_search_call', id: 'ws-1', status: 'completed' });
});
