import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  acceptUpgrade,
  binaryFrame,
  blackHole,
  closeAfterEvents,
  comment,
  connectionLimitReached,
  cutAfterBytes,
  cutAfterEvents,
  delay,
  endAfterEvents,
  errorEvent,
  failed,
  incomplete,
  malformedEvent,
  missingCompletion,
  modelsEtag,
  pause,
  ping,
  precompute,
  rateLimitHeaders,
  rateLimits,
  rawBytes,
  refuse,
  reset,
  respond,
  responseMetadata,
  Simulator,
  type Step,
  serverModel,
  slowChunks,
  stall,
  status,
  text,
  turnState,
  websocketTiming,
} from '../../src/index.ts';
import { BETA, type ClientFrame, frameWith, typeOf, WebSocketClient } from '../support/web-socket-client.ts';

interface Seen {
  readonly frames: readonly ClientFrame[];
  readonly types: readonly string[];
  readonly pings: number;
  /** `undefined`: the connection stayed open. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
}

async function see(step: Step, options: { readonly untilClosed?: boolean } = {}): Promise<Seen> {
  await using sim = await Simulator.start({ steps: [step] });
  using client = await WebSocketClient.open(sim);
  const frames = await client.ask();
  const closed = options.untilClosed === true ? await client.closed : undefined;
  return { frames, types: frames.map(typeOf), pings: client.pings, closed };
}

const hello = respond(text('hello', { chunks: 5 }));
const FIRST_THREE = ['response.created', 'response.output_item.added', 'response.output_text.delta'];
const dropped = { code: 1006, reason: '' };

describe('a fault over WebSocket, seen by the client', () => {
  test.each([0, 3, 100])(
    'a cut after %i events drops the connection without a close frame [SIM-110]',
    async (count) => {
      const whole = await see(hello);
      const { frames, closed } = await see(cutAfterEvents(count, hello), { untilClosed: true });

      expect([frames, closed]).toEqual([whole.frames.slice(0, count), dropped]);
    },
  );

  test('a close frame with code and reason stands where it was put [SIM-111]', async () => {
    const close = { code: 1008, reason: 'policy' };
    const inside = await see(closeAfterEvents(/* eventCount */ 3, close, hello), { untilClosed: true });
    const behind = await see(closeAfterEvents(Number.POSITIVE_INFINITY, { code: 1012 }, hello), { untilClosed: true });
    const early = await see(endAfterEvents(/* eventCount */ 1, hello), { untilClosed: true });

    expect([inside.types, inside.closed]).toEqual([FIRST_THREE, close]);
    expect([behind.types.at(-1), behind.closed]).toEqual(['response.completed', { code: 1012, reason: '' }]);
    expect([early.types, early.closed]).toEqual([['response.created'], { code: 1000, reason: '' }]);
  });

  test('a cut after bytes breaks the connection inside a frame [SIM-110]', async () => {
    await using sim = await Simulator.start({ steps: [cutAfterBytes(/* byteCount */ 10, hello)] });
    const received = await rawExchange(sim);

    expect([received.length, received.subarray(0, 1).toString('hex'), received.subarray(2).toString()]).toEqual([
      10,
      '81',
      '{"type":',
    ]);
  });

  test('a reset breaks the connection before or inside the answer [SIM-112]', async () => {
    expect((await see(reset(), { untilClosed: true })).closed).toEqual(dropped);
    expect((await see(reset({ afterEvents: 2 }, hello), { untilClosed: true })).closed).toEqual(dropped);
  });

  test('a refusing provider drops the connection and takes no new one [SIM-112]', async () => {
    await using sim = await Simulator.start({ steps: [refuse()] });
    using client = await WebSocketClient.open(sim);
    client.create();

    expect(await client.closed).toEqual(dropped);
    await expect(WebSocketClient.open(sim)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a stalled answer still answers pings, a black hole answers none [SIM-113]', async () => {
    const at = { afterEvents: 1 };
    await using sim = await Simulator.start({ steps: [stall(at, hello), blackHole(at, hello)] });
    const pongs = [];
    for (let handshake = 0; handshake < 2; handshake += 1) {
      using client = await WebSocketClient.open(sim);
      let count = 0;
      client.socket.on('pong', () => {
        count += 1;
      });
      client.create();
      await client.until(() => client.frames.length === 1);
      client.socket.ping();
      const server = await sim.webSocket(handshake);
      await server.waitForPings(/* count */ 1);
      server.ping(); // goes out behind whatever the first one was answered with
      await client.until(() => client.pings === 1);
      pongs.push(count);
    }

    expect(pongs).toEqual([1, 0]);
  });

  test('a connection can be deaf to pings from the start, and ping by itself [SIM-113]', async () => {
    await using sim = await Simulator.start({ handshakes: [acceptUpgrade({ answerPings: false, pingEveryMs: 5 })] });
    using client = await WebSocketClient.open(sim);
    let pongs = 0;
    client.socket.on('pong', () => {
      pongs += 1;
    });
    client.socket.ping();
    const server = await sim.webSocket(/* handshake */ 0);
    await server.waitForPings(/* count */ 1);
    await server.waitForPongs(/* count */ 2);

    expect([pongs, client.pings >= 2]).toEqual([0, true]);
  });

  test('pieces of any size make the same frames, and a pong waits for the end of the frame [SIM-114]', async () => {
    await using sim = await Simulator.start({ steps: [slowChunks(/* chunkBytes */ 3, hello)] });
    using client = await WebSocketClient.open(sim);
    let pongs = 0;
    client.socket.on('pong', () => {
      pongs += 1;
    });
    client.create();
    client.socket.ping();
    const frames = await client.response();
    await client.until(() => pongs === 1 || client.socket.readyState !== client.socket.OPEN);

    expect([frames, pongs]).toEqual([(await see(hello)).frames, 1]);
  });

  test('frames that are no text or no JSON stand between good ones [SIM-115]', async () => {
    const { frames } = await see(
      respond(binaryFrame('bin'), malformedEvent('{"broken'), rawBytes('raw'), text('after')),
    );

    expect(frames.slice(1, 4)).toEqual([{ binary: Buffer.from('bin') }, '{"broken', 'raw']);
    expect(typeOf(frames.at(-1) ?? '')).toBe('response.completed');
  });

  test('pings, comments and pauses leave the events as they are [SIM-116]', async () => {
    const startedAt = performance.now();
    const { types, pings } = await see(respond(ping('a'), pause(/* delayMs */ 50), comment('b'), text('x')));

    expect([performance.now() - startedAt >= 48, pings, types]).toEqual([
      true,
      2,
      [...FIRST_THREE, 'response.output_item.done', 'response.completed'],
    ]);
  });

  test('a delay sends nothing before its time, and a missing completion no end [SIM-116]', async () => {
    await using sim = await Simulator.start({ steps: [delay(/* delayMs */ 50, missingCompletion(hello))] });
    using client = await WebSocketClient.open(sim);
    const startedAt = performance.now();
    client.create();
    expect(await sim.outcome(/* index */ 0)).toBe('sent');
    client.socket.ping();
    await new Promise((resolve) => client.socket.once('pong', resolve));

    expect([performance.now() - startedAt >= 48, client.frames.map(typeOf).at(-1)]).toEqual([
      true,
      'response.output_item.done',
    ]);
  });

  test('a status is an error event with that status, error and headers [SIM-117]', async () => {
    const error = { type: 'usage_limit_reached', message: 'm' };
    const wrapped = await see(status(/* code */ 429, { headers: { 'retry-after': '1' }, body: { error } }));
    const page = await see(status(/* code */ 502, { body: '<html>' }));

    expect([wrapped.frames, page.frames]).toEqual([
      [{ type: 'error', status: 429, error, headers: { 'retry-after': '1' } }],
      [{ type: 'error', status: 502, error: { message: '<html>' } }],
    ]);
  });

  test('errors, failures and limits end a response as scripted [SIM-118]', async () => {
    const ends = await Promise.all(
      [
        errorEvent({ code: 'x' }, { status: 500, headers: { a: 1 } }),
        errorEvent(/* error */ null),
        connectionLimitReached(),
        failed({ code: 'invalid_prompt' }),
        incomplete('max_output_tokens'),
      ].map(async (end) => (await see(respond(end))).frames.at(-1)),
    );

    expect(ends).toEqual([
      { type: 'error', status: 500, error: { code: 'x' }, headers: { a: 1 } },
      { type: 'error', error: null },
      {
        type: 'error',
        error: expect.objectContaining({ code: 'websocket_connection_limit_reached' }),
      },
      { type: 'response.failed', response: { id: 'resp_0', status: 'failed', error: { code: 'invalid_prompt' } } },
      expect.objectContaining({ type: 'response.incomplete' }),
    ]);
  });

  test('a precomputed answer of 100,000 deltas is the same frames [SIM-119]', async () => {
    const many = respond(text('x'.repeat(100_000), { chunks: 100_000 }), { responseId: 'resp_big' });
    const plain = await see(many);
    const made = await see(precompute(many, { label: 'big' }));

    expect(plain.frames.length).toBe(100_004);
    expect(JSON.stringify(made.frames)).toBe(JSON.stringify(plain.frames).replaceAll('msg_0_0', 'msg_big_0'));
  });

  test('a frame of any length has the right head [SIM-119]', async () => {
    const lengths = [1, 60, 100, 65_400, 65_536, 200_000];
    const { frames } = await see(respond(...lengths.map((length) => text('é'.repeat(length)))));
    const deltas = frames.flatMap((frame) => (typeOf(frame) === 'response.output_text.delta' ? [frame] : []));

    expect(deltas).toMatchObject(lengths.map((length) => ({ delta: 'é'.repeat(length) })));
  });
});

describe('side information over WebSocket', () => {
  test('what HTTP says in headers is said in events before the first one [SIM-120]', async () => {
    const limits = {
      primary: { usedPercent: 42.5, windowMinutes: 300, resetAt: 1_999_999_999 },
      credits: { hasCredits: true, unlimited: false, balance: '1' },
    };
    const other = { primary: { usedPercent: 7 }, limitId: 'codex_other' };
    const { frames } = await see(
      respond({
        headers: {
          'x-codex-turn-state': 'ts-1',
          'openai-model': 'm',
          'x-models-etag': '"e"',
          'x-request-id': 'unspoken',
          ...rateLimitHeaders(limits),
          ...rateLimitHeaders(other),
        },
      }),
    );
    const credits = { has_credits: true, unlimited: false, balance: '1' };

    expect(frames.slice(0, -2)).toEqual([
      { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts-1' } },
      { type: 'codex.response.metadata', headers: { 'openai-model': 'm', 'x-models-etag': '"e"' } },
      {
        type: 'codex.rate_limits',
        rate_limits: { primary: { used_percent: 42.5, window_minutes: 300, reset_at: 1_999_999_999 }, secondary: null },
        credits,
      },
      {
        type: 'codex.rate_limits',
        rate_limits: { primary: { used_percent: 7, window_minutes: null, reset_at: null }, secondary: null },
        credits,
        metered_limit_name: 'codex_other',
      },
    ]);
  });

  test('each kind of event can be put anywhere [SIM-121]', async () => {
    const { frames } = await see(
      respond(
        turnState('ts'),
        serverModel('a'),
        serverModel('b', { place: 'response' }),
        modelsEtag('"e"'),
        rateLimits({ secondary: { usedPercent: 1 }, planType: 'pro', limitId: 'x', limitName: 'X' }),
        websocketTiming({ engine_service_total_ms: 3 }),
        responseMetadata({ metadata: { k: [1] } }),
      ),
    );

    expect(frames.slice(1, -1)).toEqual([
      { type: 'response.metadata', headers: { 'x-codex-turn-state': 'ts' } },
      { type: 'codex.response.metadata', headers: { 'openai-model': 'a' } },
      { type: 'response.in_progress', response: { headers: { 'openai-model': 'b' } } },
      { type: 'codex.response.metadata', headers: { 'x-models-etag': '"e"' } },
      {
        type: 'codex.rate_limits',
        plan_type: 'pro',
        rate_limits: { primary: null, secondary: { used_percent: 1, window_minutes: null, reset_at: null } },
        metered_limit_name: 'x',
        limit_name: 'X',
      },
      { type: 'responsesapi.websocket_timing', timing_metrics: { engine_service_total_ms: 3 } },
      { type: 'response.metadata', metadata: { k: [1] } },
    ]);
  });
});

/** Asks over a bare socket; the bytes of the answer up to the end of the connection. */
async function rawExchange(sim: Simulator): Promise<Buffer> {
  const socket = connect(sim.port, '127.0.0.1');
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('error', () => undefined); // the end that is wanted
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.write(
    `GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nopenai-beta: ${BETA}\r\n` +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const payload = Buffer.from(JSON.stringify(frameWith()));
  const head = Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]); // a mask of zeros
  socket.write(Buffer.concat([head, payload]));
  await ended;
  const received = Buffer.concat(pieces);
  return received.subarray(received.indexOf('\r\n\r\n') + 4);
}
