import { type ModelRequest, promptItems } from '@quire/core';
import type { ModelEvent } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import type { SocketRequest } from '../src/index.ts';
import {
  beginTurn,
  completed,
  connect as connectHttp,
  REQUEST,
  run,
  runToFailure,
  THREAD_ID,
  textDelta,
} from './support.ts';
import { answerAll, answerEvents, type Peer, serveSockets, warmEvents } from './ws-support.ts';

type Overrides = NonNullable<Parameters<typeof connectHttp>[1]>;

const connect = (url: string, overrides: Overrides = {}) =>
  connectHttp(url, {
    webSocket: 'when-supported',
    ...overrides,
    with: { supportsWebsockets: true, streamMaxRetries: 5, ...overrides.with },
  });

const userMessage = (text: string) => ({
  type: 'message' as const,
  role: 'user' as const,
  content: [{ type: 'input_text' as const, text }],
});

/** The request after `request`, whose answer was `events`. */
function following(request: ModelRequest, events: readonly ModelEvent[], text: string): ModelRequest {
  const items = events.flatMap((event) => (event.kind === 'item-end' ? [event.item] : []));
  return { ...request, input: promptItems([...request.input, ...items, userMessage(text)]) };
}

describe('a request over WebSocket', () => {
  test('upgrades at the address of the POST with its headers, and asks for the second revision [WS-01]', async () => {
    await using server = await serveSockets();
    using client = connect(server.url, { subagent: 'review', betaFeatures: ['one'], timingMetrics: true });
    await run(client.turn);
    const { path, headers } = server.upgrades[0] ?? { path: '', headers: {} };
    const { 'sec-websocket-key': _key, host: _host, ...rest } = headers;
    expect(path).toBe('/v1/responses');
    expect(rest).toEqual({
      authorization: 'Bearer key-of-the-test',
      connection: 'Upgrade',
      'openai-beta': 'responses_websockets=2026-02-06',
      originator: 'quire_test',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      'sec-websocket-version': '13',
      'session-id': THREAD_ID,
      session_id: THREAD_ID,
      'thread-id': THREAD_ID,
      upgrade: 'websocket',
      'user-agent': 'quire_test/1.2.3 (TestOS 1; x64) none',
      'x-client-request-id': THREAD_ID,
      'x-codex-beta-features': 'one',
      'x-codex-turn-metadata': '{"turn_id":"turn-1"}',
      'x-openai-subagent': 'review',
      'x-responsesapi-include-timing-metrics': 'true',
    });
    expect(server.requests).toEqual([]);
  });

  test('is one frame: the body of the POST with type and metadata [WS-02]', async () => {
    await using server = await serveSockets();
    using client = connect(server.url);
    await run(client.turn);
    expect(server.frames).toEqual([
      {
        type: 'response.create',
        model: 'test-model',
        instructions: 'Be brief.',
        client_metadata: {
          session_id: THREAD_ID,
          thread_id: THREAD_ID,
          turn_id: 'turn-1',
          'x-codex-turn-metadata': '{"turn_id":"turn-1"}',
          'x-codex-ws-stream-request-start-ms': String(Date.UTC(2026, 1, 3, 12)),
        },
        input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
        tools: [],
        tool_choice: 'auto',
        parallel_tool_calls: false,
        reasoning: null,
        store: false,
        stream: true,
        include: [],
        prompt_cache_key: THREAD_ID,
      },
    ]);
  });

  test('gives the same events as over HTTP [WS-03]', async () => {
    const events = answerEvents('r', 'Grüße');
    await using server = await serveSockets({
      frame: (peer) => peer.send(...events),
      post: (response) => response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')),
    });
    using socketClient = connect(server.url);
    using httpClient = connectHttp(server.url);
    const overSocket = await run(socketClient.turn);
    const overHttp = await run(httpClient.turn);
    expect(overSocket).toEqual(overHttp.filter((event) => event.kind !== 'rate-limits'));
    expect([server.upgrades.length, server.requests.length]).toEqual([1, 1]);
  });

  test('is not made unless the configuration and the provider both want it [WS-04]', async () => {
    await using server = await serveSockets();
    using off = connect(server.url, { webSocket: 'off' });
    using unsupported = connect(server.url, { with: { supportsWebsockets: false } });
    await run(off.turn);
    await run(unsupported.turn);
    expect([server.upgrades.length, server.requests.length]).toEqual([0, 2]);
  });

  test('is understood when the server deflates its frames [WS-05]', async () => {
    await using server = await serveSockets({ deflate: true });
    using client = connect(server.url);
    const events = await run(client.turn);
    expect(events.at(-1)).toEqual({ kind: 'response-end', responseId: 'resp-0', usage: undefined, endTurn: undefined });
    expect(server.peers[0]?.socket.extensions).toBe('permessage-deflate');
  });

  test('tells what the handshake said with every response, and what events say [WS-06]', async () => {
    await using server = await serveSockets({
      headers: [
        'openai-model: served',
        'x-reasoning-included: 1',
        'x-models-etag: "e1"',
        'x-codex-primary-used-percent: 5',
      ],
      frame: (peer) =>
        peer.send(
          { type: 'codex.response.metadata', headers: { 'x-models-etag': '"e2"' } },
          { type: 'codex.rate_limits', rate_limits: { primary: { used_percent: 7 } }, metered_limit_name: 'other' },
          { type: 'response.in_progress', headers: { 'OpenAI-Model': ['changed'] } },
          completed(),
        ),
    });
    using client = connect(server.url);
    const first = await run(client.turn);
    expect(first).toEqual([
      { kind: 'server-model', model: 'served' },
      { kind: 'models-etag', etag: '"e1"' },
      { kind: 'server-reasoning-included' },
      { kind: 'models-etag', etag: '"e2"' },
      {
        kind: 'rate-limits',
        snapshot: {
          limitId: 'other',
          limitName: undefined,
          primary: { usedPercent: 7, windowMinutes: undefined, resetsAtSeconds: undefined },
          secondary: undefined,
          credits: undefined,
          planType: undefined,
        },
      },
      { kind: 'server-model', model: 'changed' },
      {
        kind: 'unknown',
        type: 'response.in_progress',
        raw: { type: 'response.in_progress', headers: { 'OpenAI-Model': ['changed'] } },
      },
      { kind: 'response-end', responseId: 'resp-1', usage: undefined, endTurn: undefined },
    ]);
    expect((await run(client.turn)).slice(0, 1)).toEqual([{ kind: 'server-model', model: 'served' }]);
  });

  test('skips and reports what can not be understood, and gives timing to the observer [WS-07]', async () => {
    const problems: unknown[] = [];
    const timings: unknown[] = [];
    await using server = await serveSockets({
      frame: (peer) => {
        peer.socket.send('nonsense');
        peer.send({ no: 'type' }, { type: 'response.output_text.delta' });
        peer.send(
          { type: 'responsesapi.websocket_timing', timing_metrics: { engine_service_total_ms: 3 } },
          completed(),
        );
      },
    });
    using client = connect(server.url, {
      observer: { streamProblem: (problem) => problems.push(problem), serverTiming: (timing) => timings.push(timing) },
    });
    expect((await run(client.turn)).map(({ kind }) => kind)).toEqual(['response-end']);
    expect(problems).toEqual([
      { kind: 'not-json', type: undefined },
      { kind: 'no-type', type: undefined },
      { kind: 'missing-fields', type: 'response.output_text.delta' },
    ]);
    expect(timings).toEqual([{ engine_service_total_ms: 3 }]);
  });
});

describe('the next request', () => {
  test('goes over the same socket and sends only what is new, in this turn and the next [WS-10]', async () => {
    const sent: SocketRequest[] = [];
    await using server = await serveSockets();
    using client = connect(server.url, { observer: { socketRequest: (request) => sent.push(request) } });
    const second = following(REQUEST, await run(client.turn), 'more');
    const third = following(second, await run(client.turn, second), 'again');
    await run(beginTurn(client.port), third);
    expect(server.upgrades.length).toBe(1);
    expect(server.frames.map((frame) => [frame.previous_response_id, frame.input])).toEqual([
      [undefined, [userMessage('hi')]],
      ['resp-0', [userMessage('more')]],
      ['resp-1', [userMessage('again')]],
    ]);
    expect(sent.map(({ mode, reason, reusedConnection }) => [mode, reason, reusedConnection])).toEqual([
      ['full', 'new-connection', false],
      ['incremental', undefined, true],
      ['incremental', undefined, true],
    ]);
  });

  test('may have nothing new to send [WS-11]', async () => {
    await using server = await serveSockets();
    using client = connect(server.url);
    const events = await run(client.turn);
    const items = events.flatMap((event) => (event.kind === 'item-end' ? [event.item] : []));
    await run(client.turn, { ...REQUEST, input: promptItems([...REQUEST.input, ...items]) });
    expect([server.frames[1]?.previous_response_id, server.frames[1]?.input]).toEqual(['resp-0', []]);
  });

  test('compares items by what is sent of them, not by identity [WS-12]', async () => {
    await using server = await serveSockets();
    using client = connect(server.url);
    const next = following(REQUEST, await run(client.turn), 'more');
    await run(client.turn, JSON.parse(JSON.stringify(next)) as ModelRequest);
    expect(server.frames[1]?.previous_response_id).toBe('resp-0');
  });

  test.each<readonly [string, (next: ModelRequest) => ModelRequest]>([
    ['the model', (next) => ({ ...next, model: 'another' })],
    ['the instructions', (next) => ({ ...next, instructions: 'Be long.' })],
    ['the effort', (next) => ({ ...next, reasoning: { effort: 'high' } })],
    ['the service tier', (next) => ({ ...next, serviceTier: 'flex' })],
    ['a schema', (next) => ({ ...next, outputSchema: { type: 'object' } })],
    ['the history', (next) => ({ ...next, input: promptItems([userMessage('edited'), ...next.input.slice(1)]) })],
    ['its length', (next) => ({ ...next, input: promptItems(next.input.slice(0, 1)) })],
  ])('sends everything when %s changed [WS-13]', async (_what, change) => {
    await using server = await serveSockets();
    using client = connect(server.url);
    const next = change(following(REQUEST, await run(client.turn), 'more'));
    await run(client.turn, next);
    expect(server.upgrades.length).toBe(1);
    expect(server.frames[1]?.previous_response_id).toBeUndefined();
    expect(server.frames[1]?.input.length).toBe(next.input.length);
  });

  test.each(['previous_response_not_found', 'websocket_connection_limit_reached'])(
    'is repeated at once and whole on a new connection after %s [WS-14]',
    async (code) => {
      let failed = false;
      await using server = await serveSockets({
        frame: (peer, frame, index) => {
          if (index !== 1 || failed) return answerAll(peer, frame, index);
          failed = true;
          peer.send({ type: 'error', error: { code } });
        },
      });
      using client = connect(server.url);
      const second = following(REQUEST, await run(client.turn), 'more');
      const events = await run(client.turn, second);
      expect(events.at(-1)?.kind).toBe('response-end');
      expect(server.upgrades.length).toBe(2);
      expect([server.frames[2]?.previous_response_id, server.frames[2]?.input.length]).toEqual([undefined, 3]);
    },
  );

  test('makes a new connection when the account changed [WS-15]', async () => {
    let accountId = 'one';
    await using server = await serveSockets();
    using client = connect(server.url, {
      credentials: { current: async () => ({ kind: 'chatgpt', accessToken: `token-of-${accountId}`, accountId }) },
    });
    await run(client.turn);
    accountId = 'two';
    await run(client.turn);
    expect(server.upgrades.map(({ headers }) => headers['chatgpt-account-id'])).toEqual(['one', 'two']);
  });

  test('makes a new connection at once when the idle one was closed or reset [WS-16]', async () => {
    await using server = await serveSockets();
    using client = connect(server.url);
    for (const cut of [(peer?: Peer) => peer?.socket.close(), (peer?: Peer) => peer?.raw.resetAndDestroy()]) {
      await run(client.turn);
      cut(server.peers.at(-1));
      await server.until(() => server.peers.at(-1)?.socket.readyState === 3);
    }
    const startedAt = performance.now();
    expect((await run(client.turn)).at(-1)?.kind).toBe('response-end');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(server.requests).toEqual([]);
  });

  test('that meets a reset on a reused socket is on a new one within a second, without a failure [WS-17]', async () => {
    await using server = await serveSockets({
      frame: (peer, frame, index) => {
        if (index === 1) peer.raw.resetAndDestroy();
        else answerAll(peer, frame, index);
      },
    });
    using client = connect(server.url);
    const second = following(REQUEST, await run(client.turn), 'more');
    const startedAt = performance.now();
    expect((await run(client.turn, second)).at(-1)?.kind).toBe('response-end');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(server.frames[2]?.input.length).toBe(3);
  });

  test('does not take late events of the previous response for its own [WS-18]', async () => {
    await using server = await serveSockets({
      frame: (peer, frame, index) => {
        if (index === 1) peer.send(completed('resp-0'));
        answerAll(peer, frame, index);
      },
    });
    using client = connect(server.url);
    await run(client.turn);
    const events = await run(client.turn);
    expect(events.at(-1)).toMatchObject({ kind: 'response-end', responseId: 'resp-1' });
  });
});

describe('the turn state', () => {
  test('of an event is echoed in frames of its turn, the first one wins, and the next turn starts without [WS-20]', async () => {
    await using server = await serveSockets({
      frame: (peer, _frame, index) =>
        peer.send(
          { type: 'response.metadata', headers: { 'X-Codex-Turn-State': [`ts-${index}`] } },
          ...answerEvents(`r-${index}`, 'x'),
        ),
    });
    using client = connect(server.url);
    await run(client.turn);
    await run(client.turn);
    await run(client.turn);
    await run(beginTurn(client.port));
    expect(server.frames.map((frame) => frame.client_metadata['x-codex-turn-state'])).toEqual([
      undefined,
      'ts-0',
      'ts-0',
      undefined,
    ]);
  });

  test('of the handshake is echoed by a reconnect of the turn, not by the next turn [WS-21]', async () => {
    await using server = await serveSockets({
      headers: ['x-codex-turn-state: from-upgrade'],
      frame: (peer, frame, index) => (index === 0 ? peer.raw.resetAndDestroy() : answerAll(peer, frame, index)),
    });
    using client = connect(server.url);
    await runToFailure(client.turn);
    await run(client.turn);
    await run(beginTurn(client.port));
    expect(server.upgrades.map(({ headers }) => headers['x-codex-turn-state'])).toEqual([undefined, 'from-upgrade']);
    expect(server.frames.map((frame) => frame.client_metadata['x-codex-turn-state'])).toEqual([
      'from-upgrade',
      'from-upgrade',
      undefined,
    ]);
  });

  test('that no header can carry is ignored [WS-23]', async () => {
    await using server = await serveSockets({
      frame: (peer) => {
        for (const state of ['line\nbreak', 'ünïcode', 'x'.repeat(9000), 'good']) {
          peer.send({ type: 'response.metadata', headers: { 'x-codex-turn-state': state } });
        }
        peer.socket.close(1008);
      },
    });
    using client = connect(server.url);
    await run(client.turn);
    expect(server.requests[0]?.headers['x-codex-turn-state']).toBe('good');
  });

  test('survives the change to HTTP [WS-22]', async () => {
    await using server = await serveSockets({
      frame: (peer) => {
        peer.send({ type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts' } });
        peer.socket.close(1008);
      },
    });
    using client = connect(server.url);
    await run(client.turn);
    expect(server.requests[0]?.headers['x-codex-turn-state']).toBe('ts');
  });
});

describe('the warm-up', () => {
  const request = { ...REQUEST, input: promptItems([userMessage('must not be sent')]) };

  test('sends tools and instructions without input, and the first turn continues from it [WS-30]', async () => {
    const outcomes: string[] = [];
    await using server = await serveSockets();
    using client = connect(server.url, { observer: { warmUp: ({ outcome }) => outcomes.push(outcome) } });
    client.port.warmUp?.({ request });
    await server.until(() => server.frames.length === 1);
    expect(server.frames[0]).toMatchObject({ generate: false, instructions: 'Be brief.', input: [] });
    expect(server.frames[0]?.client_metadata['turn_id']).toBe('');
    await run(client.turn);
    expect(server.upgrades.length).toBe(1);
    expect([server.frames[1]?.previous_response_id, server.frames[1]?.input]).toEqual(['warm-0', [userMessage('hi')]]);
    expect(outcomes).toEqual(['ready']);
  });

  test('is awaited by a turn that comes before it is ready [WS-31]', async () => {
    const held: Peer[] = [];
    await using server = await serveSockets({
      frame: (peer, frame, index) => {
        if (frame.generate === false) held.push(peer);
        else answerAll(peer, frame, index);
      },
    });
    using client = connect(server.url);
    client.port.warmUp?.({ request });
    const turn = run(client.turn);
    await server.until(() => held.length === 1);
    held[0]?.send(...warmEvents('warm'));
    await turn;
    expect([server.upgrades.length, server.frames[1]?.previous_response_id]).toEqual([1, 'warm']);
  });

  test('that stays silent is given up at the connect timeout, and the turn connects afresh [WS-32]', async () => {
    const outcomes: string[] = [];
    await using server = await serveSockets({
      frame: (peer, frame, index) => {
        if (frame.generate !== false) answerAll(peer, frame, index);
      },
    });
    using client = connect(server.url, {
      with: { websocketConnectTimeoutMs: 1_500 },
      observer: { warmUp: ({ outcome }) => outcomes.push(outcome) },
    });
    client.port.warmUp?.({ request });
    await run(client.turn);
    expect(server.upgrades.length).toBe(2);
    expect(server.frames[1]?.previous_response_id).toBeUndefined();
    await server.until(() => server.peers[0]?.socket.readyState === 3);
    expect(outcomes).toEqual(['timed-out', 'cancelled']);
  });

  test.each<readonly [string, (peer: Peer) => void]>([
    ['an error event', (peer) => peer.send({ type: 'error', status: 500, error: { message: 'no' } })],
    ['a failed response', (peer) => peer.send({ type: 'response.failed', response: { error: { code: 'x' } } })],
    ['a drop', (peer) => peer.raw.resetAndDestroy()],
  ])('that fails by %s is never seen, and the turn connects afresh [WS-33]', async (_what, fail) => {
    await using server = await serveSockets({
      frame: (peer, frame, index) => (frame.generate === false ? fail(peer) : answerAll(peer, frame, index)),
    });
    using client = connect(server.url);
    client.port.warmUp?.({ request });
    await server.until(() => server.peers[0]?.socket.readyState === 3);
    const events = await run(client.turn);
    expect(events.map(({ kind }) => kind)).toEqual(['response-start', 'text-delta', 'item-end', 'response-end']);
    expect([server.upgrades.length, server.requests.length]).toEqual([2, 0]);
  });

  test('hands its turn state to the turn that adopts it, not to later ones [WS-34]', async () => {
    await using server = await serveSockets({ headers: ['x-codex-turn-state: warm-state'] });
    using client = connect(server.url);
    client.port.warmUp?.({ request });
    await run(client.turn);
    await run(beginTurn(client.port));
    expect(server.frames.map((frame) => frame.client_metadata['x-codex-turn-state'])).toEqual([
      'warm-state',
      'warm-state',
      undefined,
    ]);
  });

  test('counts as the first attempt: a refused one leaves the turn to HTTP [WS-35]', async () => {
    await using server = await serveSockets({ upgrade: () => ({ status: 404 }) });
    using client = connect(server.url);
    client.port.warmUp?.({ request });
    const events = await run(client.turn);
    expect(events[0]).toEqual({
      kind: 'transport-fallback',
      from: 'websocket',
      to: 'http',
      cause: 'the server answered the WebSocket upgrade with status 404',
    });
    expect([server.upgrades.length, server.requests.length]).toEqual([1, 1]);
  });

  test('does nothing without WebSocket, after close, and leaves nothing behind on close [WS-36]', async () => {
    await using server = await serveSockets();
    using http = connect(server.url, { webSocket: 'off' });
    http.port.warmUp?.({ request });
    using client = connect(server.url);
    client.port.warmUp?.({ request });
    await server.until(() => server.frames.length === 1);
    client.port.close();
    client.port.warmUp?.({ request });
    await server.until(() => server.peers[0]?.socket.readyState === 3);
    expect(server.upgrades.length).toBe(1);
  });

  test('that was replaced by a newer one is dropped [WS-37]', async () => {
    let held = 0;
    await using server = await serveSockets({
      frame: (peer, frame, index) => {
        if (frame.generate === false && held === 0) held += 1;
        else answerAll(peer, frame, index);
      },
    });
    using client = connect(server.url);
    client.port.warmUp?.({ request });
    await server.until(() => held === 1);
    client.port.warmUp?.({ request });
    await run(client.turn);
    await server.until(() => server.peers[0]?.socket.readyState === 3);
    expect(server.frames.at(-1)?.previous_response_id).toBe('warm-1');
  });
});

describe('leaving', () => {
  test('by abort or early return drops the connection at once [WS-40]', async () => {
    await using server = await serveSockets({ frame: (peer) => peer.send(textDelta('a')) });
    using client = connect(server.url);
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = (async () => {
      for await (const _batch of client.turn.stream(REQUEST, { signal: controller.signal })) controller.abort(reason);
    })();
    await expect(aborted).rejects.toBe(reason);
    await server.until(() => server.peers[0]?.socket.readyState === 3);
    for await (const _batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) break;
    await server.until(() => server.peers[1]?.socket.readyState === 3);
    expect(server.requests).toEqual([]);
  });

  test('by close rejects what is in flight [WS-41]', async () => {
    await using server = await serveSockets({ frame: () => undefined });
    using client = connect(server.url);
    const failed = runToFailure(client.turn);
    await server.until(() => server.frames.length === 1);
    client.port.close();
    expect((await failed).error).toMatchObject({ code: 'connection-failed', retryable: false });
    await server.until(() => server.peers[0]?.socket.readyState === 3);
  });

  test.each([false, true])(
    'a slow reader holds the server back and misses nothing (deflated: %s) [WS-42]',
    async (deflate) => {
      const count = deflate ? 6000 : 4000;
      // Deflated frames are small, so that many come out of one read, one after the other.
      const filler = deflate ? '' : 'x'.repeat(2000);
      await using server = await serveSockets({
        deflate,
        frame: (peer) => {
          for (let index = 0; index < count; index += 1) peer.send(textDelta(`${index} ${filler}`));
          peer.send(completed());
        },
      });
      using client = connect(server.url);
      let seen = 0;
      let heldBack = false;
      for await (const batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) {
        seen += batch.filter((event) => event.kind === 'text-delta').length;
        heldBack ||= (server.peers[0]?.socket.bufferedAmount ?? 0) > 0;
        // At first long enough for everything that was read to come out of the buffers.
        for (let turns = seen < 1000 ? 500 : 1; turns > 0; turns -= 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      expect([seen, heldBack || deflate]).toEqual([count, true]);
    },
  );
});
