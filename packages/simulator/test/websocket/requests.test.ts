import { isJsonObject, type JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  acceptUpgrade,
  completed,
  customToolCall,
  event,
  functionCall,
  reasoning,
  rehearse,
  respond,
  Simulator,
  stall,
  status,
  text,
} from '../../src/index.ts';
import { bodyWith, eventsOf, post, userMessage } from '../support/client.ts';
import { BETA, frameWith, typeOf, WebSocketClient } from '../support/web-socket-client.ts';

const hello = respond(text('hello', { chunks: 2 }));
const output = (callId: string): JsonObject => ({ type: 'function_call_output', call_id: callId, output: 'done' });

describe('over WebSocket', () => {
  test('a script plays as the same events that SSE carries [SIM-80]', async () => {
    const answer = respond(
      reasoning('hm', { content: 'raw' }),
      functionCall('c1', 'shell', {}),
      customToolCall('c2', 'apply_patch', 'x'),
      text('hello', { chunks: 3 }),
    );
    await using sim = await Simulator.start({ steps: [answer] });
    await using reference = await Simulator.start({ steps: [answer] });
    using client = await WebSocketClient.open(sim);

    expect(await client.ask()).toEqual(eventsOf(await post(reference, bodyWith())));
    expect(await sim.outcome(/* index */ 0)).toBe('sent');
  });

  test('a request is recorded whole, with its transport, connection and bytes [SIM-81]', async () => {
    await using sim = await Simulator.start({ steps: [hello, hello, hello] });
    await post(sim, bodyWith({ prompt_cache_key: 'other' }));
    using client = await WebSocketClient.open(sim, { headers: { 'x-mine': 'yes' }, perMessageDeflate: false });
    await client.ask();
    const frame = frameWith();
    await client.ask();

    const { headers, receivedAtMs, ...request } = await sim.request(/* index */ 2);
    const byteCount = Buffer.byteLength(JSON.stringify(frame));
    expect(request).toEqual({
      index: 2,
      transport: 'websocket',
      connection: 1,
      method: 'GET',
      path: '/v1/responses',
      rawBody: Buffer.from(JSON.stringify(frame)),
      body: frame,
      input: [userMessage('hello')],
      inheritedItems: 0,
      toolOutputs: [],
      bytesReceived: byteCount + 8, // a head of 4 bytes and a mask of 4
    });
    expect([headers['x-mine'], headers['openai-beta'], receivedAtMs > 0]).toEqual(['yes', BETA, true]);
    expect(sim.requests.map((entry) => entry.transport)).toEqual(['http', 'websocket', 'websocket']);
  });

  test('a request that continues a response stands for the whole conversation [SIM-82]', async () => {
    await using sim = await Simulator.start({ steps: [respond(functionCall('c1', 'shell', {})), hello, hello] });
    using client = await WebSocketClient.open(sim);
    await client.ask();
    await client.ask({ previous_response_id: 'resp_0', input: [output('c1')] });
    await client.ask({ previous_response_id: 'resp_1', input: [] });

    const call = { type: 'function_call', id: 'fc_0_0', call_id: 'c1', name: 'shell', arguments: '{}' };
    const message = {
      type: 'message',
      role: 'assistant',
      id: 'msg_1_0',
      content: [{ type: 'output_text', text: 'hello' }],
    };
    const before = [userMessage('hello'), call, output('c1')];
    const records = sim.requests.map(({ input, inheritedItems, toolOutputs }) => ({
      input,
      inheritedItems,
      toolOutputs,
    }));
    expect(records).toEqual([
      { input: [userMessage('hello')], inheritedItems: 0, toolOutputs: [] },
      { input: before, inheritedItems: 2, toolOutputs: [{ callId: 'c1', output: 'done' }] },
      { input: [...before, message], inheritedItems: 4, toolOutputs: [{ callId: 'c1', output: 'done' }] },
    ]);
  });

  test.each(['an id it never had', 'an id of another connection', 'an id it was told to forget'])(
    'a request that continues %s gets the error of the real service and takes no step [SIM-83]',
    async (kind) => {
      await using sim = await Simulator.start({ steps: [hello, hello] });
      using first = await WebSocketClient.open(sim);
      await first.ask();
      using second = await WebSocketClient.open(sim);
      const asking = kind === 'an id of another connection' ? second : first;
      if (kind === 'an id it was told to forget') (await sim.webSocket(/* handshake */ 0)).forgetResponses();
      const id = kind === 'an id it never had' ? 'resp_x' : 'resp_0';

      expect(await asking.ask({ previous_response_id: id })).toEqual([
        {
          type: 'error',
          status: 400,
          error: {
            type: 'invalid_request_error',
            code: 'previous_response_not_found',
            message: `Previous response with id '${id}' not found.`,
            param: 'previous_response_id',
          },
        },
      ]);
      expect((await asking.ask()).map(typeOf).at(-1)).toBe('response.completed');
    },
  );

  test('a response that failed can not be continued [SIM-83]', async () => {
    await using sim = await Simulator.start({ steps: [status(/* code */ 500)] });
    using client = await WebSocketClient.open(sim);
    await client.ask();

    expect(await client.ask({ previous_response_id: 'resp_0' })).toMatchObject([{ status: 400 }]);
  });

  test('a prewarm completes without usage, takes no step and can be continued [SIM-84]', async () => {
    await using sim = await Simulator.start({ steps: [hello] });
    using client = await WebSocketClient.open(sim);

    expect(await client.ask({ generate: false, input: [] })).toEqual([
      { type: 'response.created', response: { id: 'resp_prewarm_0' } },
      { type: 'response.completed', response: { id: 'resp_prewarm_0', usage: null } },
    ]);
    await client.ask({ previous_response_id: 'resp_prewarm_0' });
    expect([sim.prewarms.length, sim.requests.length, (await sim.prewarm(/* index */ 0)).input]).toEqual([1, 1, []]);
  });

  test('a prewarm can be scripted apart from the turns [SIM-84]', async () => {
    await using sim = await Simulator.start({ prewarms: [status(/* code */ 503)], steps: [hello] });
    using client = await WebSocketClient.open(sim);

    expect(await client.ask({ generate: false })).toMatchObject([{ type: 'error', status: 503 }]);
    expect((await client.ask()).map(typeOf).at(-1)).toBe('response.completed');
  });

  test('a request before the response to the last has ended is a violation [SIM-85]', async () => {
    const sim = await Simulator.start({ steps: [stall({ afterEvents: 1 }, hello)] });
    using client = await WebSocketClient.open(sim);
    client.create();
    await client.until(() => client.frames.length > 0);
    client.create();
    client.socket.ping();
    await (await sim.webSocket(/* handshake */ 0)).waitForPings(/* count */ 1);
    await sim.stop();

    expect(sim.violations).toEqual(['WebSocket 0: a request came before the response to the last had ended']);
  });

  test('what comes behind the end of a response goes out before the next, which is in time [SIM-86]', async () => {
    const late = event({ type: 'response.late' });
    await using sim = await Simulator.start({ steps: [respond(completed(), late), hello] });
    using client = await WebSocketClient.open(sim);
    const first = await client.ask();
    const second = await client.ask();

    expect([first, second].map((frames) => frames.map(typeOf).slice(0, 2))).toEqual([
      ['response.created', 'response.completed'],
      ['response.late', 'response.created'],
    ]);
  });

  test('deflated frames are read, and the answer is deflated when wanted [SIM-87]', async () => {
    const long = respond(text('x'.repeat(200_000), { chunks: 2 }));
    await using sim = await Simulator.start({
      steps: [long, long, long],
      handshakes: [acceptUpgrade(), acceptUpgrade({ deflate: 'compress' }), acceptUpgrade({ deflate: 'decline' })],
    });
    const body = { input: [userMessage('y'.repeat(100_000))] };
    const answers = [];
    for (let handshake = 0; handshake < 3; handshake += 1) {
      using client = await WebSocketClient.open(sim, { perMessageDeflate: true });
      const frames = await client.ask(body);
      const { extensions } = await sim.webSocket(handshake);
      const { _socket: raw } = client.socket as unknown as { readonly _socket: { readonly bytesRead: number } };
      answers.push([frames.length, extensions.includes('permessage-deflate'), raw.bytesRead < 10_000]);
    }

    expect(answers).toEqual([
      [6, true, false],
      [6, true, true],
      [6, false, false],
    ]);
    expect(sim.requests.map((request) => request.bytesReceived < 2000)).toEqual([true, true, false]);
    expect(sim.requests.map((request) => request.rawBody.length > 100_000)).toEqual([true, true, true]);
  });

  test('how each connection ended is known [SIM-88]', async () => {
    await using sim = await Simulator.start();
    using closing = await WebSocketClient.open(sim);
    using leaving = await WebSocketClient.open(sim);
    closing.socket.close(1001, 'going away');
    leaving.socket.terminate();

    expect([
      await (await sim.webSocket(/* handshake */ 0)).ended(),
      await (await sim.webSocket(/* handshake */ 1)).ended(),
    ]).toEqual([
      { code: 1001, reason: 'going away' },
      { code: 1006, reason: '' },
    ]);
  });

  test('a client that leaves inside an answer is noticed [SIM-88]', async () => {
    await using sim = await Simulator.start({ steps: [stall({ afterEvents: 1 }, hello)] });
    using client = await WebSocketClient.open(sim);
    client.create();
    await client.until(() => client.frames.length > 0);
    client.socket.terminate();

    expect(await sim.outcome(/* index */ 0)).toBe('client-left');
  });

  test('a test can act on an open connection between two answers [SIM-89]', async () => {
    await using sim = await Simulator.start({ steps: [hello] });
    const clients: WebSocketClient[] = [];
    for (let count = 0; count < 3; count += 1) clients.push(await WebSocketClient.open(sim));
    const [closed, destroyed, reset] = clients;
    await closed?.ask();
    const served = await sim.webSocket(/* handshake */ 0);
    served.sendEvent({ type: 'response.metadata' });
    served.ping('are you there');
    await served.waitForPongs(/* count */ 1);
    served.close(/* code */ 1012, 'restart');
    (await sim.webSocket(/* handshake */ 1)).destroy();
    (await sim.webSocket(/* handshake */ 2)).reset();

    expect(await Promise.all(clients.map((client) => client.closed))).toEqual([
      { code: 1012, reason: 'restart' },
      { code: 1006, reason: '' },
      { code: 1006, reason: '' },
    ]);
    expect(closed?.frames.at(-1)).toEqual({ type: 'response.metadata' });
    expect([destroyed?.frames, reset?.frames]).toEqual([[], []]);
  });

  test('a script that throws is answered with an error event and reported [SIM-47]', async () => {
    const sim = await Simulator.start({
      steps: [
        () => {
          throw new Error('oops');
        },
        hello,
      ],
    });
    using client = await WebSocketClient.open(sim);
    const first = await client.ask();
    const second = await client.ask();
    await sim.stop();

    expect(first).toMatchObject([{ type: 'error', status: 500, error: { code: 'script_failed' } }]);
    expect([typeOf(second.at(-1) ?? ''), sim.violations]).toEqual([
      'response.completed',
      ['request 0: the script threw: oops'],
    ]);
  });

  test('one thread goes on over another connection and another transport [SIM-90]', async () => {
    await using sim = await Simulator.start({ steps: [respond(functionCall('c1', 'shell', {})), hello, hello, hello] });
    using first = await WebSocketClient.open(sim);
    await first.ask();
    await first.ask({ previous_response_id: 'resp_0', input: [output('c1')] });
    // As a client repeats it that keeps no ids and orders the keys in its own way.
    const call = { name: 'shell', arguments: '{}', call_id: 'c1', type: 'function_call' };
    const spoken = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hello' }] };
    const input = [userMessage('hello'), call, output('c1'), spoken, userMessage('go on')];
    using second = await WebSocketClient.open(sim);
    await second.ask({ input });
    const answer = await post(sim, bodyWith({ input: [...input, { ...spoken, id: 'm' }, userMessage('more')] }));

    expect([answer.status, sim.violations]).toEqual([200, []]);
  });

  test('a served item that comes back with other words is a rewritten history [SIM-90]', async () => {
    const sim = await Simulator.start({ steps: [hello, hello, hello] });
    using client = await WebSocketClient.open(sim);
    await client.ask();
    await client.ask({ previous_response_id: 'resp_0', input: [userMessage('go on')] });
    const spoken = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'bye' }] };
    await client.ask({ input: [userMessage('hello'), spoken, userMessage('go on')] });
    await sim.stop();

    expect(sim.violations).toEqual([
      'request 2: the history was rewritten: input[1].content[0].text differs from request 1',
    ]);
  });
});

describe('a broken invariant over WebSocket is answered with an error event and reported:', () => {
  const judge = async (
    sent: readonly unknown[],
    options: { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<readonly [unknown, readonly string[]]> => {
    const sim = await Simulator.start({ rules: rehearse(() => respond()) });
    try {
      using client = await WebSocketClient.open(sim, options);
      let last: unknown;
      for (const body of sent) {
        if (Buffer.isBuffer(body)) client.socket.send(body);
        else client.send(body);
        last = (await client.response()).at(-1);
      }
      return [isJsonObject(last) ? last['status'] : last, sim.violations];
    } finally {
      await sim.stop();
    }
  };
  const { type: _type, ...untyped } = frameWith();

  test.each<readonly [string, readonly unknown[], string]>([
    ['text that is no JSON', ['{"type":'], 'WebSocket 0: a frame that is not a JSON object'],
    ['a binary frame', [Buffer.from('{}')], 'WebSocket 0: a binary frame'],
    ['no type', [untyped], 'request 0: the body lacks type, which must be "response.create"'],
    ['another type', [frameWith({ type: 'response.append' })], 'request 0: the body\'s type must be "response.create"'],
    ['an unknown field', [frameWith({ temperature: 1 })], 'request 0: the body has the unknown field temperature'],
    [
      'a call without output',
      [frameWith({ input: [{ type: 'function_call', call_id: 'a', name: 'n', arguments: '' }] })],
      'request 0: input[0] (function_call a) has no output',
    ],
    [
      'an incremental request with other settings',
      [frameWith(), frameWith({ previous_response_id: 'resp_0', input: [], model: 'other' })],
      'request 1: it continues the response of request 0 with another model',
    ],
    [
      'a shorter history',
      [frameWith({ input: [userMessage('a'), userMessage('b')] }), frameWith({ input: [userMessage('a')] })],
      'request 1: the history was rewritten: input[1] is missing, it was in request 0',
    ],
    [
      'a turn with other instructions than its prewarm',
      [frameWith({ generate: false, input: [] }), frameWith({ instructions: 'Be long.' })],
      'request 0: instructions differ from prewarm 0 of the same thread',
    ],
  ])('%s [SIM-91]', async (_name, sent, problem) => {
    expect(await judge(sent)).toEqual([400, [problem]]);
  });
});
