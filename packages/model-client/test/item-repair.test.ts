import type { ModelEvent } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { answer, bodyEvents, completed, connect, run, serve } from './support.ts';
import { message, serveSockets } from './ws-support.ts';

const added = (item: object) => ({ type: 'response.output_item.added', item });
const done = (item: object) => ({ type: 'response.output_item.done', item });
const textDelta = (itemId: string, delta: string) => ({ type: 'response.output_text.delta', item_id: itemId, delta });
const argumentsDelta = (itemId: string, delta: string) => ({
  type: 'response.function_call_arguments.delta',
  item_id: itemId,
  delta,
});
const empty = (id: string) => ({ type: 'message', id, role: 'assistant', content: [] });
const call = (id: string, args = '') => ({ type: 'function_call', id, call_id: `c-${id}`, name: 'f', arguments: args });

const ended = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.kind === 'item-end' ? [event.item] : []));

async function itemsOf(events: readonly object[], providerId = 'azure'): Promise<unknown[]> {
  await using server = await serve(answer(...events));
  using client = connect(server.url, { with: { id: providerId } });
  const all = bodyEvents(await run(client.turn));
  expect(all.at(-1)?.kind).toBe('response-end');
  return ended(all);
}

describe('an item whose end is missing', () => {
  test('is put together from its deltas before the completion [REPAIR-01]', async () => {
    expect(
      await itemsOf([
        added(empty('m')),
        textDelta('m', 'Hel'),
        textDelta('m', 'lo'),
        added(call('f')),
        argumentsDelta('f', '{"a"'),
        argumentsDelta('f', ':1}'),
        completed(),
      ]),
    ).toEqual([message('m', 'Hello'), call('f', '{"a":1}')]);
  });

  test('is taken from the completion, or from the event with all of its text, where there is one [REPAIR-02]', async () => {
    const whole = { ...message('m', 'whole'), phase: 'final_answer' };
    expect(
      await itemsOf([
        added(empty('m')),
        textDelta('m', 'wh'),
        added(call('f')),
        { type: 'response.function_call_arguments.done', item_id: 'f', arguments: '{}' },
        { type: 'response.completed', response: { id: 'r', output: [whole, { odd: 1 }], usage: null } },
      ]),
    ).toEqual([whole, call('f', '{}')]);
  });

  test('may never have begun either [REPAIR-03]', async () => {
    expect(await itemsOf([textDelta('m', 'only deltas'), completed()])).toEqual([message('m', 'only deltas')]);
  });

  test('is not made up from nothing: an empty message, reasoning, or a call without a name [REPAIR-04]', async () => {
    expect(
      await itemsOf([
        added(empty('m')),
        added({ type: 'reasoning', id: 'r', summary: [] }),
        argumentsDelta('unknown', '{}'),
        completed(),
      ]),
    ).toEqual([]);
  });

  test.each([
    ['the same', 'm'],
    ['another', 'msg-2'],
    ['no', undefined],
  ])('is not repaired when the end comes under %s id [REPAIR-05]', async (_what, id) => {
    const end = { ...message('m', 'x'), id };
    const items = await itemsOf([added(empty('m')), textDelta('delta-id', 'x'), done(end), completed()]);
    expect(items.length).toBe(1);
    expect(
      (await itemsOf([textDelta('delta-id', 'x'), done(end), textDelta('delta-id', 'late'), completed()])).length,
    ).toBe(1);
  });

  test('is left alone on the first-party service [REPAIR-06]', async () => {
    expect(await itemsOf([added(empty('m')), textDelta('m', 'x'), completed()], 'openai')).toEqual([]);
  });

  test('is repaired over WebSocket, too, and the next request is sent whole [REPAIR-07]', async () => {
    await using server = await serveSockets({
      frame: (peer, _frame, index) => peer.send(added(empty('m')), textDelta('m', 'x'), completed(`r-${index}`)),
    });
    using client = connect(server.url, { webSocket: 'when-supported', with: { supportsWebsockets: true } });
    expect(ended(await run(client.turn))).toEqual([message('m', 'x')]);
    await run(client.turn);
    expect(server.frames[1]?.previous_response_id).toBeUndefined();
  });

  test('capabilities of a host are declared, or guessed for Azure [REQUEST-11]', async () => {
    await using server = await serve(answer(completed()));
    const stored: unknown[] = [];
    for (const overrides of [
      {},
      { name: 'azure' },
      { name: 'azure', capabilities: { storeItems: false } },
      { capabilities: { storeItems: true } },
    ]) {
      using client = connect(server.url, { with: overrides });
      await run(client.turn);
      stored.push((JSON.parse(server.requests.at(-1)?.body ?? '') as { store: unknown }).store);
    }
    expect(stored).toEqual([false, true, false, true]);
  });
});
