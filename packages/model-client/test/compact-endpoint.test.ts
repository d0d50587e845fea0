import type { ServerResponse } from 'node:http';
import type { ModelRequest } from '@quire/core';
import { ModelError, type ResponseItem } from '@quire/protocol';
import { compacted, Simulator, status } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { RateLimitStore } from '../src/index.ts';
import {
  beginTurn,
  completed,
  connect,
  REQUEST,
  recordingClock,
  run,
  serve,
  sse,
  type TestClient,
  THREAD_ID,
  withInput,
} from './support.ts';

const anySignal = (): AbortSignal => new AbortController().signal;

function compact(
  client: Pick<TestClient, 'port'>,
  request: ModelRequest = REQUEST,
  signal = anySignal(),
): Promise<readonly ResponseItem[]> {
  if (client.port.compact === undefined) throw new Error('the line has no compaction endpoint');
  return client.port.compact(request, { signal });
}

async function failureOf(attempt: Promise<unknown>): Promise<ModelError> {
  const outcome = await attempt.catch((error: unknown) => error);
  if (outcome instanceof ModelError) return outcome;
  throw new Error(`expected a ModelError, got ${String(outcome)}`);
}

const json = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

describe('the request', () => {
  test('has the documented fields in their order, and the headers of a turn [COMPACT-01]', async () => {
    await using server = await serve((response) => json(response, { output: [] }));
    using client = connect(server.url, { subagent: 'compact', betaFeatures: ['a'] });
    const tool = { type: 'function', name: 'f', description: 'd', strict: false, parameters: {} } as const;
    await compact(client, {
      ...REQUEST,
      tools: [tool],
      parallelToolCalls: true,
      reasoning: { effort: 'low', summary: 'none' },
      serviceTier: 'flex',
      verbosity: 'low',
    });
    const [received] = server.requests;
    expect([received?.method, received?.path]).toEqual(['POST', '/responses/compact']);
    expect(received?.body).toBe(
      JSON.stringify({
        model: 'test-model',
        instructions: 'Be brief.',
        input: REQUEST.input,
        tools: [tool],
        parallel_tool_calls: true,
        reasoning: { effort: 'low' },
        service_tier: 'flex',
        prompt_cache_key: THREAD_ID,
        text: { verbosity: 'low' },
      }),
    );
    const { host: _host, connection: _connection, ...headers } = received?.headers ?? {};
    expect(headers).toEqual({
      accept: 'application/json',
      'content-type': 'application/json',
      'content-length': String(received?.body.length),
      authorization: 'Bearer key-of-the-test',
      originator: 'quire_test',
      'user-agent': 'quire_test/1.2.3 (TestOS 1; x64) none',
      session_id: THREAD_ID,
      'session-id': THREAD_ID,
      'thread-id': THREAD_ID,
      'x-client-request-id': THREAD_ID,
      'x-openai-subagent': 'compact',
      'x-codex-beta-features': 'a',
    });
  });

  test('leaves out what is not chosen [COMPACT-01]', async () => {
    await using server = await serve((response) => json(response, { output: [] }));
    using client = connect(server.url);
    await compact(client);
    expect(Object.keys(JSON.parse(server.requests[0]?.body ?? ''))).toEqual([
      'model',
      'instructions',
      'input',
      'tools',
      'parallel_tool_calls',
      'prompt_cache_key',
    ]);
  });

  test('is not made for an empty history [COMPACT-02]', async () => {
    await using simulator = await Simulator.start();
    using client = connect(simulator.url);
    expect(await compact(client, withInput())).toEqual([]);
    expect(simulator.compactions).toEqual([]);
  });

  test('goes over HTTP although the thread uses WebSocket [COMPACT-07]', async () => {
    await using simulator = await Simulator.start();
    using client = connect(simulator.url, { webSocket: 'when-supported', with: { supportsWebsockets: true } });
    expect((await compact(client)).map(({ type }) => type)).toEqual(['message', 'compaction']);
    expect([simulator.compactions.length, simulator.handshakes.length]).toEqual([1, 0]);
  });

  test('does not exist where chat completions are spoken [COMPACT-07]', () => {
    using client = connect('http://127.0.0.1:1', { with: { wireApi: 'chat' } });
    expect(client.port.compact).toBeUndefined();
  });

  test('is compressed when requests are [COMPACT-08]', async () => {
    await using server = await serve((response) => json(response, { output: [] }));
    using client = connect(server.url, {
      requestCompression: true,
      credentials: {
        current: async () => ({ kind: 'chatgpt', accessToken: 'token-of-the-test', accountId: 'account' }),
      },
      with: { name: 'OpenAI' },
    });
    await compact(client);
    expect(server.requests[0]?.headers['content-encoding']).toBe('zstd');
  });
});

describe('the answer', () => {
  test('gives its items as they came, any number of them, unknown ones too [COMPACT-03]', async () => {
    const items = [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      { type: 'compaction', id: 'cmp_1', encrypted_content: 'opaque' },
      { type: 'compaction_summary', encrypted_content: 'older name' },
      { type: 'future', deep: { list: [1] } },
    ];
    await using simulator = await Simulator.start({ compactions: [compacted(...items), compacted()] });
    using client = connect(simulator.url);
    expect(await compact(client)).toEqual([...items.slice(0, 3), { type: 'unknown', raw: items[3] }]);
    expect(await compact(client)).toEqual([]);
  });

  test.each<[string, (response: ServerResponse) => void, Partial<ModelError>]>([
    [
      'a web page',
      (response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
      {
        code: 'stream-protocol',
        message:
          'URL answered with a web page (text/html) instead of JSON; check base_url, and whether a network login page is in between',
      },
    ],
    [
      'a stream',
      (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(sse(completed())),
      {
        code: 'stream-protocol',
        message:
          'URL answered with a stream (text/event-stream) instead of JSON; check base_url, and whether a network login page is in between',
      },
    ],
    [
      'an empty body',
      (response) => response.end(),
      { code: 'stream-protocol', message: 'URL answered the compaction with an empty body' },
    ],
    [
      'no JSON',
      (response) => response.end('{"output":['),
      { code: 'stream-protocol', message: 'URL answered the compaction with something that is not JSON' },
    ],
    [
      'no list',
      (response) => json(response, { output: { type: 'compaction' } }),
      { code: 'stream-protocol', message: 'URL answered the compaction with no list of items' },
    ],
    [
      'no object',
      (response) => json(response, /* body */ null),
      { code: 'stream-protocol', message: 'URL answered the compaction with no list of items' },
    ],
    [
      'an error',
      (response) => json(response, { error: { message: 'not\nhere, key-of-the-test' } }),
      {
        code: 'stream-protocol',
        message: 'URL answered the compaction with no list of items but an error: not here, [hidden]',
      },
    ],
    [
      'an item without a type',
      (response) => json(response, { output: [{ type: 'compaction' }, 'text'] }),
      { code: 'stream-protocol', message: 'URL answered the compaction with an item without a type (output[1])' },
    ],
    [
      'more than can be a history',
      (response) => response.end(Buffer.alloc(65 * 1024 * 1024, ' ')),
      { code: 'stream-protocol', message: 'URL answered the compaction with more than 67108864 bytes' },
    ],
    [
      'a body that is cut',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{"output":[', () => response.socket?.destroy());
      },
      { code: 'stream-truncated', retryable: true, message: 'URL broke off its answer to the compaction' },
    ],
    [
      'a chunked body that is cut',
      (response) => response.write('{"output":[]}', () => response.socket?.destroy()),
      { code: 'stream-truncated', retryable: true, message: 'URL broke off its answer to the compaction' },
    ],
    [
      'silence within the body',
      (response) => response.write('{"output":['),
      {
        code: 'idle-timeout',
        retryable: true,
        message: 'URL was silent for 1500 ms within its answer to the compaction',
      },
    ],
    ['silence before it', () => undefined, { code: 'idle-timeout', retryable: true }],
  ])(
    '%s is an error with one line to read, and the next request is fine [COMPACT-04]',
    async (title, answer, expected) => {
      await using server = await serve((response, _request, index) => {
        if (index === 0) answer(response);
        else json(response, { output: [{ type: 'compaction' }] });
      });
      // Only where it is what ends the wait: a loaded machine takes its time for the others.
      using client = connect(server.url, { with: title.startsWith('silence') ? { streamIdleTimeoutMs: 1_500 } : {} });
      const error = await failureOf(compact(client));
      const { code, retryable } = error;
      const message = error.message.replace(`${server.url}/responses/compact`, 'URL');
      expect({ code, retryable, message }).toMatchObject({ retryable: false, ...expected });
      expect(error.message).not.toMatch(/\n/);
      expect(await compact(client)).toEqual([{ type: 'compaction' }]);
    },
  );

  test('updates the limits of the account [COMPACT-08]', async () => {
    await using simulator = await Simulator.start({
      compactions: [
        status(/* code */ 200, { headers: { 'x-codex-primary-used-percent': '42' }, body: { output: [] } }),
      ],
    });
    const rateLimits = new RateLimitStore();
    using client = connect(simulator.url, { rateLimits });
    await compact(client);
    expect(rateLimits.get('codex')?.primary?.usedPercent).toBe(42);
  });

  test('does not count as a part of the request after it on the same socket [COMPACT-08]', async () => {
    await using server = await serve((response, { path }) => {
      if (path.endsWith('compact')) json(response, { output: [], padding: 'x'.repeat(10_000) });
      else response.end(sse(completed()));
    });
    using client = connect(server.url);
    await compact(client);
    const received: (readonly [boolean, boolean])[] = [];
    for await (const batch of client.turn.stream(REQUEST, { signal: anySignal() })) {
      for (const event of batch) {
        if (event.kind !== 'receipt') continue;
        received.push([event.receipt.reusedConnection, event.receipt.bytesReceived < 10_000]);
      }
    }
    expect(received).toEqual([[true, true]]);
  });
});

describe('a refusal', () => {
  test.each([404, 405, 501])('with status %i is told with it, after one request [COMPACT-05]', async (code) => {
    await using simulator = await Simulator.start({ compactions: [status(code)] });
    using client = connect(simulator.url, { with: { requestMaxRetries: 3 } });
    const { code: errorCode, httpStatus } = await failureOf(compact(client));
    expect([errorCode, httpStatus]).toEqual(['unexpected-status', code]);
    expect(simulator.compactions.length).toBe(1);
  });

  test('that may pass is met with another request [COMPACT-05]', async () => {
    await using simulator = await Simulator.start({
      compactions: [status(/* code */ 503), status(/* code */ 500), compacted()],
    });
    const clock = recordingClock();
    const attempts: (number | undefined)[] = [];
    using client = connect(simulator.url, {
      clock,
      observer: { requestAttempt: ({ status: code }) => attempts.push(code) },
      with: { requestMaxRetries: 2 },
    });
    expect(await compact(client)).toEqual([]);
    expect([attempts, clock.delaysMs]).toEqual([
      [503, 500, 200],
      [200, 400],
    ]);
  });

  test('of a full window or of one item is typed as over a stream [COMPACT-05]', async () => {
    await using simulator = await Simulator.start({
      compactions: [
        status(/* code */ 400, { body: { error: { code: 'context_length_exceeded', message: 'too long' } } }),
        status(/* code */ 400, { body: { error: { param: 'input[0].content', message: 'no' } } }),
      ],
    });
    using client = connect(simulator.url);
    expect(await failureOf(compact(client))).toMatchObject({ code: 'context-window-exceeded', httpStatus: 400 });
    expect(await failureOf(compact(client))).toMatchObject({ code: 'invalid-request', rejectedInputIndex: 0 });
  });

  test('for lack of credentials is recovered from [COMPACT-06]', async () => {
    await using simulator = await Simulator.start({ compactions: [status(/* code */ 401), compacted()] });
    using client = connect(simulator.url, {
      credentials: {
        current: async () => ({ kind: 'api-key', token: 'old' }),
        recover: async function* () {
          yield {
            mode: 'managed',
            phase: 'reload',
            credentials: { kind: 'api-key', token: 'new' },
            changed: true,
          };
        },
      },
    });
    expect(await compact(client)).toEqual([]);
    expect(simulator.compactions.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });
});

describe('ending it early', () => {
  test.each(['before the answer', 'within it'])(
    'by the signal, %s, rejects with its reason [COMPACT-09]',
    async (when) => {
      const caller = new AbortController();
      const reason = new Error('stop');
      await using server = await serve((response) => {
        if (when === 'before the answer') caller.abort(reason);
        else response.write('{"output":', () => setImmediate(() => caller.abort(reason)));
      });
      using client = connect(server.url);
      await expect(compact(client, REQUEST, caller.signal)).rejects.toBe(reason);
      await expect(compact(client, REQUEST, caller.signal)).rejects.toBe(reason);
      expect(server.requests.length).toBe(1);
    },
  );

  test('by closing the client rejects [COMPACT-09]', async () => {
    await using server = await serve(() => client.port.close());
    const client = connect(server.url);
    const closedMeanwhile = await failureOf(compact(client));
    const closedBefore = await failureOf(compact(client));
    expect([closedMeanwhile.message, closedBefore.message]).toEqual([
      'the model client was closed',
      'the model client is closed',
    ]);
  });
});

test('a turn goes on after a compaction [COMPACT-09]', async () => {
  await using server = await serve((response, { path }) => {
    if (path.endsWith('compact')) json(response, { output: [] });
    else response.end(sse(completed()));
  });
  using client = connect(server.url);
  await compact(client);
  expect((await run(beginTurn(client.port))).at(-1)?.kind).toBe('response-end');
});
