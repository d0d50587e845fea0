import type { ModelError, ModelEvent, TransportFailure } from '@quire/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createFallbackMemory, type RecoveryStep, type SocketConnect } from '../src/index.ts';
import { beginTurn, connect as connectHttp, REQUEST, run, runToFailure, serve, textDelta } from './support.ts';
import { answerAll, answerEvents, type Peer, type SocketScript, serveSockets } from './ws-support.ts';

type Overrides = NonNullable<Parameters<typeof connectHttp>[1]>;

const connect = (url: string, overrides: Overrides = {}) =>
  connectHttp(url, {
    webSocket: 'when-supported',
    ...overrides,
    with: { supportsWebsockets: true, streamMaxRetries: 5, ...overrides.with },
  });

const fallback = (cause: string): ModelEvent => ({ kind: 'transport-fallback', from: 'websocket', to: 'http', cause });
const fallbacks = (events: readonly ModelEvent[]): ModelEvent[] =>
  events.filter((event) => event.kind === 'transport-fallback');

describe('an upgrade that is refused', () => {
  test.each([400, 401, 403, 404, 405, 429, 500, 501, 502, 503, 200, 302])(
    'with status %i leaves the thread to HTTP after one attempt, with one line [FALLBACK-01]',
    async (status) => {
      await using server = await serveSockets({ upgrade: () => ({ status, body: 'no' }) });
      using client = connect(server.url);
      const events = await run(client.turn);
      await run(beginTurn(client.port));
      expect(fallbacks(events)).toEqual([fallback(`the server answered the WebSocket upgrade with status ${status}`)]);
      expect(events.at(-1)?.kind).toBe('response-end');
      expect([server.upgrades.length, server.requests.length]).toEqual([1, 2]);
    },
  );

  test('with 401 during the warm-up is the first attempt, too: recovered from, or left to HTTP [FALLBACK-08]', async () => {
    await using server = await serveSockets({ upgrade: () => ({ status: 401 }) });
    using client = connect(server.url);
    client.port.warmUp?.({ request: REQUEST });
    await run(client.turn);
    expect([server.upgrades.length, server.requests.length]).toEqual([1, 1]);
  });

  test('with 426 goes to HTTP without a word, for the whole thread [FALLBACK-02]', async () => {
    await using server = await serveSockets({ upgrade: () => ({ status: 426 }) });
    using client = connect(server.url);
    client.port.warmUp?.({ request: REQUEST });
    for (let turns = 0; turns < 3; turns += 1) expect(fallbacks(await run(beginTurn(client.port)))).toEqual([]);
    expect([server.upgrades.length, server.requests.length]).toEqual([1, 3]);
  });

  test('for a used-up allowance fails the turn with its message and does not try HTTP [FALLBACK-03]', async () => {
    const body = JSON.stringify({ error: { type: 'usage_limit_reached', plan_type: 'plus' } });
    await using server = await serveSockets({ upgrade: () => ({ status: 429, body }) });
    using client = connect(server.url);
    const { error } = await runToFailure(client.turn);
    expect(error).toMatchObject({
      code: 'usage-limit-reached',
      message: 'The usage limit is reached: upgrade to Pro or buy credits; try again later.',
      transportFailure: { kind: 'upgrade-status', status: 429 },
    });
    expect(server.requests).toEqual([]);
  });

  test.each<readonly [string, NonNullable<SocketScript['upgrade']>, TransportFailure['kind']]>([
    ['a reset', (_index, socket) => reset(socket), 'tcp'],
    ['an end', (_index, socket) => end(socket, ''), 'tcp'],
    ['something that is not HTTP', (_index, socket) => end(socket, 'SSH-2.0-test\r\n'), 'upgrade-protocol'],
    [
      'a handshake that does not fit',
      (_index, socket) => write(socket, 'HTTP/1.1 101 OK\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
      'upgrade-protocol',
    ],
    ['silence', () => 'handled', 'connect-timeout'],
  ])('by %s leaves the thread to HTTP after one attempt [FALLBACK-04]', async (_what, upgrade, kind) => {
    const connects: SocketConnect[] = [];
    await using server = await serveSockets({ upgrade });
    using client = connect(server.url, {
      with: kind === 'connect-timeout' ? { websocketConnectTimeoutMs: 1_000 } : {},
      observer: { socketConnect: (report) => connects.push(report) },
    });
    const events = await run(client.turn);
    await run(client.turn);
    expect(connects.map(({ failure, phase }) => [failure?.kind, phase])).toEqual([[kind, 'turn']]);
    expect(fallbacks(events).length).toBe(1);
    expect([server.upgrades.length, server.requests.length]).toEqual([1, 2]);
  });

  test('is no verdict when HTTP does not get an answer either [FALLBACK-05]', async () => {
    const gone = await serve(() => undefined);
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    const connects: SocketConnect[] = [];
    using client = connect(`http://127.0.0.1:${port}`, {
      observer: { socketConnect: (report) => connects.push(report) },
    });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { events, error } = await runToFailure(client.turn);
      expect([events, error.code]).toEqual([[], 'connection-failed']);
    }
    expect(connects.map(({ failure }) => failure)).toEqual([{ kind: 'tcp' }, { kind: 'tcp' }]);
  });

  test('is remembered for the host: other threads do not ask again, until it expires [FALLBACK-06]', async () => {
    let nowMs = 0;
    const fallbackMemory = createFallbackMemory({ clock: { now: () => nowMs } });
    await using server = await serveSockets({ upgrade: () => ({ status: 404 }) });
    for (let threads = 0; threads < 3; threads += 1) {
      using client = connect(server.url, { fallbackMemory });
      expect(fallbacks(await run(client.turn)).length).toBe(threads === 0 ? 1 : 0);
    }
    expect(server.upgrades.length).toBe(1);
    nowMs = 60 * 60_000;
    using client = connect(server.url, { fallbackMemory });
    await run(client.turn);
    expect(server.upgrades.length).toBe(2);
  });

  test('for its credentials is recovered from and asked again [FALLBACK-07]', async () => {
    const steps: RecoveryStep[] = [
      { mode: 'managed', phase: 'reload', credentials: { kind: 'api-key', token: 'reloaded' }, changed: false },
      { mode: 'managed', phase: 'refresh_token', credentials: { kind: 'api-key', token: 'refreshed' }, changed: true },
    ];
    await using server = await serveSockets({
      upgrade: (_index, _socket, request) =>
        request.headers.authorization === 'Bearer refreshed' ? 'accept' : { status: 401 },
    });
    using client = connect(server.url, {
      credentials: {
        current: async () => ({ kind: 'api-key', token: 'old' }),
        recover: async function* () {
          yield* steps;
        },
      },
    });
    expect((await run(client.turn)).at(-1)?.kind).toBe('response-end');
    expect(server.upgrades.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer old',
      'Bearer reloaded',
      'Bearer refreshed',
    ]);
    expect(server.requests).toEqual([]);
  });
});

describe('a response that is lost', () => {
  const losses: readonly (readonly [string, (peer: Peer) => void, TransportFailure['kind']])[] = [
    ['a reset', (peer) => peer.raw.resetAndDestroy(), 'reset'],
    ['an end without a close frame', (peer) => peer.raw.end(), 'reset'],
    ['a close', (peer) => peer.socket.close(1011, 'oops'), 'close-code'],
    ['a binary frame', (peer) => peer.socket.send(Buffer.from([1])), 'bad-frame'],
    ['a frame that breaks the protocol', (peer) => peer.raw.write(Buffer.from([0xf7, 0])), 'bad-frame'],
    ['an error event', (peer) => peer.send({ type: 'error', status: 500, error: { message: 'no' } }), 'in-band'],
  ];

  test.each(losses)(
    'by %s before its first event is a retryable error, and the next attempt has a new socket [LOSS-01]',
    async (_what, lose, kind) => {
      await using server = await serveSockets({
        frame: (peer, frame, index) => (index === 0 ? lose(peer) : answerAll(peer, frame, index)),
      });
      using client = connect(server.url);
      const { events, error } = await runToFailure(client.turn);
      expect([events, error.retryable, error.transportFailure?.kind]).toEqual([[], true, kind]);
      await server.until(() => server.peers[0]?.socket.readyState === 3);
      expect((await run(client.turn)).at(-1)?.kind).toBe('response-end');
      expect([server.upgrades.length, server.requests.length]).toEqual([2, 0]);
    },
  );

  test.each(losses)(
    'by %s in the middle gives what came before it, then the error [LOSS-02]',
    async (_what, lose, kind) => {
      await using server = await serveSockets({
        frame: (peer) => {
          peer.send(textDelta('half'));
          lose(peer);
        },
      });
      using client = connect(server.url);
      const { events, error } = await runToFailure(client.turn);
      expect(events).toEqual([{ kind: 'text-delta', itemId: 'msg-1', delta: 'half' }]);
      expect([error.retryable, error.transportFailure?.kind]).toEqual([true, kind]);
      expect(server.requests).toEqual([]);
    },
  );

  test('for the second time in a row leaves the thread to HTTP [LOSS-03]', async () => {
    await using server = await serveSockets({ frame: (peer) => peer.raw.resetAndDestroy() });
    using client = connect(server.url);
    await runToFailure(client.turn);
    const events = await run(client.turn);
    expect(fallbacks(events).length).toBe(1);
    expect([server.upgrades.length, server.requests.length]).toEqual([2, 1]);
  });

  test('for the second time, half way, fails, and the next attempt is over HTTP and says so [LOSS-04]', async () => {
    await using server = await serveSockets({
      frame: (peer) => {
        peer.send(textDelta('half'));
        peer.socket.close(1011);
      },
    });
    using client = connect(server.url);
    await runToFailure(client.turn);
    expect(fallbacks((await runToFailure(client.turn)).events)).toEqual([]);
    const events = await run(client.turn);
    expect(events[0]).toEqual(fallback(`${new URL(server.url).host} closed the WebSocket (code 1011)`));
    expect([server.upgrades.length, server.requests.length]).toEqual([2, 1]);
  });

  test('is forgotten after a response that was complete [LOSS-05]', async () => {
    await using server = await serveSockets({
      frame: (peer, frame, index) => (index % 2 === 0 ? peer.socket.close(1011) : answerAll(peer, frame, index)),
    });
    using client = connect(server.url);
    // The third frame goes over the socket of the second and is repeated on a new one.
    await runToFailure(client.turn);
    await run(client.turn);
    await run(client.turn);
    expect(server.requests).toEqual([]);
  });

  test.each([1002, 1003, 1007, 1008, 1009, 1010])('with close code %i goes to HTTP at once [LOSS-06]', async (code) => {
    await using server = await serveSockets({ frame: (peer) => peer.socket.close(code, 'policy') });
    using client = connect(server.url);
    const events = await run(client.turn);
    expect(events[0]).toEqual(fallback(`${new URL(server.url).host} closed the WebSocket (code ${code}: policy)`));
    expect([server.upgrades.length, server.requests.length]).toEqual([1, 1]);
  });

  test('whose server keeps the connection open after its close frame is lost at once all the same [LOSS-07]', async () => {
    await using server = await serveSockets({
      // A close frame with code 1011, and nothing else ever.
      frame: (peer) => peer.raw.write(Buffer.from([0x88, 2, 0x03, 0xf3])),
    });
    using client = connect(server.url);
    const startedAt = performance.now();
    const { error } = await runToFailure(client.turn);
    expect(error.transportFailure).toEqual({ kind: 'close-code', closeCode: 1011 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('an error event', () => {
  const inBand = async (event: object): Promise<{ error: ModelError; requests: number; upgrades: number }> => {
    await using server = await serveSockets({ frame: (peer) => peer.send({ type: 'error', ...event }) });
    using client = connect(server.url);
    const { error } = await runToFailure(client.turn);
    await server.until(() => server.peers[0]?.socket.readyState === 3);
    return { error, requests: server.requests.length, upgrades: server.upgrades.length };
  };

  test.each<readonly [string, object, object]>([
    [
      'a used-up allowance',
      { status: 429, error: { type: 'usage_limit_reached', resets_at: 1 } },
      { code: 'usage-limit-reached', retryable: false, resetsAtSeconds: 1 },
    ],
    [
      'too many requests',
      { status_code: 429, error: { message: 'slow' }, headers: { 'Retry-After': 1, ignored: null } },
      { code: 'rate-limited', retryable: true, retryAfterMs: 1000 },
    ],
    [
      'a bad request',
      { status: 400, error: { message: 'bad field' } },
      { code: 'invalid-request', message: 'bad field' },
    ],
    ['overload', { status: 503, error: { code: 'server_is_overloaded' } }, { code: 'overloaded', retryable: false }],
    ['no status', { error: { message: 'odd' } }, { code: 'response-failed', retryable: true }],
    ['a good status', { status: 200 }, { code: 'response-failed', retryable: true }],
  ])(
    'about %s is the error of its status, at once, and the socket is dropped [LOSS-10]',
    async (_what, event, expected) => {
      const { error, requests, upgrades } = await inBand(event);
      expect(error).toMatchObject({ ...expected, transportFailure: { kind: 'in-band' } });
      expect([requests, upgrades]).toEqual([0, 1]);
    },
  );

  test('that tells of limits gives them as events first [LOSS-11]', async () => {
    await using server = await serveSockets({
      frame: (peer) =>
        peer.send({
          type: 'error',
          status: 429,
          error: { type: 'usage_limit_reached' },
          headers: { 'x-codex-primary-used-percent': '100.0', 'x-codex-primary-window-minutes': 300 },
        }),
    });
    using client = connect(server.url);
    const { events } = await runToFailure(client.turn);
    expect(events).toMatchObject([
      { kind: 'rate-limits', snapshot: { primary: { usedPercent: 100, windowMinutes: 300 } } },
    ]);
  });

  test('about credentials is recovered from like a refused upgrade [LOSS-13]', async () => {
    const renewed: RecoveryStep = {
      mode: 'external',
      phase: 'external_refresh',
      credentials: { kind: 'api-key', token: 'renewed' },
      changed: true,
    };
    await using server = await serveSockets({
      frame: (peer, frame, index) =>
        index === 0 ? peer.send({ type: 'error', status: 401, error: {} }) : answerAll(peer, frame, index),
    });
    using client = connect(server.url, {
      credentials: {
        current: async () => ({ kind: 'api-key', token: 'old' }),
        recover: async function* () {
          yield renewed;
        },
      },
    });
    expect((await run(client.turn)).at(-1)?.kind).toBe('response-end');
    expect(server.upgrades.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer renewed']);
  });

  test.each(['response.failed', 'response.incomplete'])(
    'of the kind %s drops the socket and speaks for itself [LOSS-12]',
    async (type) => {
      await using server = await serveSockets({ frame: (peer) => peer.send({ type, response: {} }) });
      using client = connect(server.url);
      const { error } = await runToFailure(client.turn);
      // Not the fault of the line: the next attempt is over WebSocket again.
      expect(error.transportFailure).toBeUndefined();
      await server.until(() => server.peers[0]?.socket.readyState === 3);
      await runToFailure(client.turn);
      await runToFailure(client.turn);
      expect([server.upgrades.length, server.requests.length]).toEqual([3, 0]);
    },
  );
});

describe('silence', () => {
  afterEach(() => vi.useRealTimers());
  const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };

  test('of the model for ten minutes is no fault while the server answers pings, and is told every 30 s [ALIVE-01]', async () => {
    let pongs = 0;
    const silentMs: number[] = [];
    await using server = await serveSockets({ frame: () => undefined });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    using client = connect(server.url, {
      clock,
      with: { streamIdleTimeoutMs: 3_600_000 },
      observer: {
        socketPong: () => {
          pongs += 1;
        },
      },
    });
    const events: ModelEvent[] = [];
    const turn = (async () => {
      for await (const batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) {
        for (const event of batch) {
          if (event.kind === 'model-silent') silentMs.push(event.silentMs);
          else events.push(event);
        }
      }
    })();
    await server.until(() => server.frames.length === 1);
    for (let interval = 1; interval <= 40; interval += 1) {
      vi.advanceTimersByTime(15_000);
      while (pongs < interval) await new Promise((resolve) => setImmediate(resolve));
    }
    const [peer] = server.peers;
    peer?.send(...answerEvents('late', 'still here'));
    await turn;
    expect(silentMs).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 30_000));
    expect(events.at(-2)).toMatchObject({ kind: 'response-end', responseId: 'late' });
    expect([server.upgrades.length, server.requests.length]).toEqual([1, 0]);
  });

  test('of a server that answers no pings is known within two intervals [ALIVE-02]', async () => {
    await using server = await serveSockets({ frame: () => undefined, autoPong: false });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    using client = connect(server.url, { clock, with: { streamIdleTimeoutMs: 300_000 } });
    const failed = runToFailure(client.turn);
    await server.until(() => server.frames.length === 1);
    const startedAtMs = Date.now();
    vi.advanceTimersByTime(30_000);
    const { error } = await failed;
    expect(error).toMatchObject({ code: 'stream-truncated', retryable: true, transportFailure: { kind: 'dead-peer' } });
    expect(Date.now() - startedAtMs).toBe(30_000);
  });

  test('of a warm server that answers no pings drops the socket before anybody needs it [ALIVE-03]', async () => {
    await using server = await serveSockets({ autoPong: false });
    using client = connect(server.url, { pingIntervalMs: 1_000 });
    await run(client.turn);
    await server.until(() => server.peers[0]?.socket.readyState === 3);
    await run(client.turn);
    expect([server.upgrades.length, server.requests.length]).toEqual([2, 0]);
  });

  test('of the model beyond the idle time is a retryable error, however alive the server is [ALIVE-04]', async () => {
    await using server = await serveSockets({ frame: (peer) => peer.send(textDelta('a')) });
    using client = connect(server.url, { pingIntervalMs: 500, with: { streamIdleTimeoutMs: 1_600 } });
    const { error } = await runToFailure(client.turn);
    expect(error).toMatchObject({ code: 'idle-timeout', retryable: true, transportFailure: { kind: 'silence' } });
  });
});

test('a warm socket does not keep the program alive, one in use does [ALIVE-05]', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const held: Peer[] = [];
  await using server = await serveSockets({ frame: (peer) => held.push(peer) });
  using client = connect(server.url);
  const turn = run(client.turn);
  await server.until(() => held.length === 1);
  const inUse = sockets();
  held[0]?.send(...answerEvents('r', 'x'));
  await turn;
  expect(sockets()).toBe(inUse - 1);
});

function reset(socket: import('node:stream').Duplex): 'handled' {
  (socket as import('node:net').Socket).resetAndDestroy();
  return 'handled';
}

function end(socket: import('node:stream').Duplex, text: string): 'handled' {
  socket.end(text);
  return 'handled';
}

function write(socket: import('node:stream').Duplex, text: string): 'handled' {
  socket.write(text);
  return 'handled';
}
