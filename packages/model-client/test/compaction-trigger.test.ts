import type { ModelEvent, ResponseItem } from '@quire/protocol';
import { compaction, respond, Simulator, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import type { SocketRequest } from '../src/index.ts';
import { BodyEncoder } from '../src/request/body.ts';
import { connect, REQUEST, run, THREAD_ID, withInput } from './support.ts';

const itemsOf = (events: readonly ModelEvent[]): readonly ResponseItem[] =>
  events.flatMap((event) => (event.kind === 'item-end' ? [event.item] : []));

const question: ResponseItem = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'and now?' }] };
const summary: ResponseItem = { type: 'compaction', id: 'cmp_1', encrypted_content: 'opaque' };

/** A turn, a compaction by trigger, a turn on the new history, and one more. */
async function compactByTrigger(simulator: Simulator, webSocket: 'off' | 'when-supported') {
  const sent: SocketRequest[] = [];
  using client = connect(simulator.url, {
    webSocket,
    observer: { socketRequest: (request) => sent.push(request) },
    with: { supportsWebsockets: true },
  });
  const history = [...REQUEST.input, ...itemsOf(await run(client.turn))];
  const answer = itemsOf(await run(client.turn, withInput(...history, { type: 'compaction_trigger' })));
  const replaced = [...REQUEST.input, ...answer, question];
  const next = itemsOf(await run(client.turn, withInput(...replaced)));
  await run(client.turn, withInput(...replaced, ...next, question));
  return { answer, sent: sent.map(({ mode, reason }) => [mode, reason]) };
}

const script = () => [
  respond(text('one')),
  respond(compaction('opaque', { id: 'cmp_1' })),
  respond(text('two')),
  respond(text('three')),
];

describe('a compaction that is asked for by the last item', () => {
  test('is answered with an item over server-sent events [COMPACT-20]', async () => {
    await using simulator = await Simulator.start({ steps: script() });
    const { answer } = await compactByTrigger(simulator, 'off');
    expect(answer).toEqual([summary]);
    expect(simulator.requests.map(({ input }) => input.map((item) => item['type']))).toEqual([
      ['message'],
      ['message', 'message', 'compaction_trigger'],
      ['message', 'compaction', 'message'],
      ['message', 'compaction', 'message', 'message', 'message'],
    ]);
    expect(simulator.requests[2]?.input[1]).toEqual({ type: 'compaction', encrypted_content: 'opaque' });
  });

  test('continues the connection over WebSocket; the replaced history is sent whole, once [COMPACT-20] [COMPACT-21]', async () => {
    await using simulator = await Simulator.start({ steps: script() });
    const { answer, sent } = await compactByTrigger(simulator, 'when-supported');
    expect(answer).toEqual([summary]);
    expect(sent).toEqual([
      ['full', 'new-connection'],
      ['incremental', undefined],
      ['full', 'history-changed'],
      ['incremental', undefined],
    ]);
    const frames = simulator.requests.map(({ body }) => [body['input'], body['previous_response_id'] !== undefined]);
    expect(frames[1]).toEqual([[{ type: 'compaction_trigger' }], true]);
    expect(frames[2]?.[1]).toBe(false);
    expect(simulator.handshakes.length).toBe(1);
  });

  test('a compaction over HTTP between two requests makes the next frame a whole one [COMPACT-21]', async () => {
    await using simulator = await Simulator.start({ steps: [respond(text('one')), respond(text('two'))] });
    const reasons: unknown[] = [];
    using client = connect(simulator.url, {
      webSocket: 'when-supported',
      observer: { socketRequest: ({ reason }) => reasons.push(reason) },
      with: { supportsWebsockets: true },
    });
    const history = [...REQUEST.input, ...itemsOf(await run(client.turn))];
    const signal = new AbortController().signal;
    const replaced = (await client.port.compact?.(withInput(...history), { signal })) ?? [];
    await run(client.turn, withInput(...replaced, question));
    expect(reasons).toEqual(['new-connection', 'history-changed']);
  });
});

test('compaction items go without their id, to hosts that want ids, too [COMPACT-22]', () => {
  const encode = ({ itemIds }: { readonly itemIds: boolean }): unknown => {
    const traits = { storeItems: false, itemIds, searchesWeb: false, losesItemEnds: false };
    const bodies = new BodyEncoder({ threadId: THREAD_ID, traits });
    return JSON.parse(bodies.encode(withInput(summary, { type: 'compaction_trigger' })).toString()).input;
  };
  const items = [{ type: 'compaction', encrypted_content: 'opaque' }, { type: 'compaction_trigger' }];
  expect([encode({ itemIds: false }), encode({ itemIds: true })]).toEqual([items, items]);
});
