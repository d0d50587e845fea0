import type { JsonObject, JsonValue } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  brokenCompactions,
  compactAsServer,
  compactAsServerStream,
  delay,
  isCompactionTrigger,
  rehearse,
  respond,
  Simulator,
  slowChunks,
  stall,
  text,
  when,
} from '../../src/index.ts';
import { bodyWith, type ClientAnswer, eventsOf, itemsOf, post, send, userMessage } from '../support/client.ts';
import { call, message, output } from '../support/items.ts';
import { WebSocketClient } from '../support/web-socket-client.ts';

const kept = [message('developer', 'rules'), userMessage('a')];
const earlier = { type: 'compaction', encrypted_content: 'older' };
const history = [...kept, call('c'), output('c'), message('assistant', 'ok')];
const triggered = { input: [...history, { type: 'compaction_trigger' }] };
const item = { type: 'compaction', id: 'cmp_0_0', encrypted_content: 'summary of 3 items' };

function compact(sim: Simulator, input: readonly JsonObject[] = history): Promise<ClientAnswer> {
  const body = { model: 'm', instructions: 'Be brief.', input };
  return send(`${sim.url}/responses/compact`, body, { headers: { session_id: 'thread-1' } });
}

const bodyOf = (answer: ClientAnswer): JsonValue => JSON.parse(answer.body.toString()) as JsonValue;

describe('a compaction that no step takes', () => {
  test('over the stream is one compaction item with usage, in front of the rules [SIM-160]', async () => {
    await using sim = await Simulator.start({ rules: rehearse(() => respond(text('rule'))) });
    const answer = await post(sim, bodyWith(triggered));
    using client = await WebSocketClient.open(sim);
    await client.ask({ prompt_cache_key: 'other', ...triggered });

    expect(itemsOf(answer)).toEqual([item]);
    expect(eventsOf(answer).at(-1)).toMatchObject({
      type: 'response.completed',
      response: { usage: { input_tokens: 100 } },
    });
    expect(client.frames.map((frame) => (frame as JsonObject)['item'])).toEqual([
      undefined,
      { ...item, id: 'cmp_1_0' },
      undefined,
    ]);
  });

  test('over the stream is taken by a step first [SIM-160]', async () => {
    await using sim = await Simulator.start({
      steps: [respond(text('plain')), when(isCompactionTrigger, respond(text('step')))],
    });
    await post(sim, bodyWith({ input: history }));
    const answer = await post(sim, bodyWith(triggered));

    expect(itemsOf(answer)[0]?.['content']).toEqual([{ type: 'output_text', text: 'step' }]);
  });

  test('drops what an earlier compaction stands for [SIM-140]', async () => {
    await using sim = await Simulator.start();
    const answer = await compact(sim, [userMessage('a'), earlier, ...history.slice(2)]);

    expect(bodyOf(answer)).toEqual({
      output: [userMessage('a'), { type: 'compaction', encrypted_content: 'summary of 4 items' }],
    });
  });
});

describe('a broken compaction', () => {
  /** How the client got it: status, output or items, or how it broke. */
  async function endpointOf(name: keyof typeof brokenCompactions): Promise<JsonValue> {
    await using sim = await Simulator.start({ compaction: brokenCompactions[name] });
    const answer = await compact(sim);
    const { brokenBy } = answer;
    if (brokenBy !== undefined) return brokenBy;
    const isJson = answer.headers['content-type'] === 'application/json';
    return [answer.status, isJson ? bodyOf(answer) : answer.body.toString()];
  }

  const summary = { type: 'compaction', encrypted_content: 'summary of 3 items' };
  const page = expect.stringContaining('<html>');
  const error = (type: string): unknown => ({ error: expect.objectContaining({ type }) });

  test.each<readonly [keyof typeof brokenCompactions, unknown]>([
    ['none', [200, { output: [] }]],
    ['two', [200, { output: [...kept, summary, summary] }]],
    ['html403', [403, page]],
    ['html200', [200, page]],
    ['cut', 'ECONNRESET'],
    ['notFound', [404, error('not_found')]],
    ['serverError', [500, error('server_error')]],
    ['notShorter', [200, { output: [...history, { type: 'compaction', encrypted_content: JSON.stringify(history) }] }]],
    ['garbage', [200, { output: ['text', 42, null, {}, { type: 7 }, { type: 'nonsense' }] }]],
  ])('%s comes over the endpoint, every time [SIM-161]', async (name, expected) => {
    expect([await endpointOf(name), await endpointOf(name)]).toEqual([expected, expected]);
  });

  test.each<readonly [keyof typeof brokenCompactions, unknown]>([
    ['none', [200, []]],
    ['two', [200, ['compaction', 'compaction']]],
    ['html403', [403, []]],
    ['html200', [200, []]],
    ['cut', 'ECONNRESET'],
    ['notFound', [404, []]],
    ['serverError', [500, []]],
    ['notShorter', [200, ['compaction']]],
    ['garbage', [200, [7, 'nonsense', 'message']]],
  ])('%s comes over the stream [SIM-161]', async (name, expected) => {
    await using sim = await Simulator.start({ compaction: brokenCompactions[name] });
    const answer = await post(sim, bodyWith(triggered));

    expect(answer.brokenBy ?? [answer.status, itemsOf(answer).map((entry) => entry['type'])]).toEqual(expected);
  });

  test('hang says nothing over either [SIM-161]', async () => {
    await using sim = await Simulator.start({ compaction: brokenCompactions.hang });
    const leaving = new AbortController();
    const body = { model: 'm', instructions: '', input: history };
    const left = Promise.allSettled([
      send(`${sim.url}/responses/compact`, body, { signal: leaving.signal }),
      post(sim, bodyWith(triggered), { signal: leaving.signal }),
    ]);
    await Promise.all([sim.compaction(/* index */ 0), sim.request(/* index */ 0)]);
    leaving.abort();

    expect((await left).map((entry) => entry.status)).toEqual(['rejected', 'rejected']);
  });

  test('over WebSocket is in frames or an error event [SIM-161]', async () => {
    const types: unknown[] = [];
    for (const name of ['none', 'html403', 'cut'] as const) {
      await using sim = await Simulator.start({ compaction: brokenCompactions[name] });
      using client = await WebSocketClient.open(sim);
      const frames = await client.ask(triggered);
      types.push(frames.map((frame) => (frame as JsonObject)['type']));
    }

    expect(types).toEqual([['response.created', 'response.completed'], ['error'], ['response.created']]);
  });
});

describe('faults around the answers of the real service', () => {
  test('hold back, cut into pieces and stop the endpoint and the stream [SIM-162]', async () => {
    await using sim = await Simulator.start({
      compactions: [slowChunks(/* chunkBytes */ 16, delay(/* delayMs */ 1, compactAsServer))],
      steps: [slowChunks(/* chunkBytes */ 16, compactAsServerStream)],
      compaction: {
        endpoint: stall({ afterBytes: 10 }, compactAsServer),
        stream: stall({ afterEvents: 1 }, compactAsServerStream),
      },
    });
    const whole = await compact(sim);
    const streamed = await post(sim, bodyWith(triggered));
    const seen: number[] = [];
    for (const url of [`${sim.url}/responses/compact`, `${sim.url}/responses`]) {
      const leaving = new AbortController();
      const body = url.endsWith('compact') ? { model: 'm', instructions: '', input: history } : bodyWith(triggered);
      const stopped = await send(url, body, { signal: leaving.signal, onData: () => leaving.abort() });
      seen.push(stopped.body.length);
    }

    expect(bodyOf(whole)).toEqual({
      output: [...kept, { type: 'compaction', encrypted_content: 'summary of 3 items' }],
    });
    expect(itemsOf(streamed)).toEqual([item]);
    expect([seen[0], (seen[1] ?? 0) > 10]).toEqual([10, true]);
  });
});
