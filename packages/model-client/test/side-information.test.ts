import { promptItems } from '@quire/core';
import { createDialer } from '@quire/network';
import type { RateLimitSnapshot, RequestReceipt, ResponseItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { fetchUsage, usageUrl } from '../src/account/account-tools.ts';
import { RateLimitStore } from '../src/index.ts';
import { answer, CREATED, completed, connect, REQUEST, runToFailure, serve, textDelta } from './support.ts';
import { answerAll, answerEvents, serveSockets } from './ws-support.ts';

const snapshot = (overrides: Partial<RateLimitSnapshot> = {}): RateLimitSnapshot => ({
  limitId: 'codex',
  limitName: undefined,
  primary: undefined,
  secondary: undefined,
  credits: undefined,
  planType: undefined,
  ...overrides,
});
const used = (usedPercent: number) => ({ usedPercent, windowMinutes: 300, resetsAtSeconds: 2_000_000_000 });

describe('the rate limit store', () => {
  test('keeps the newest of each limit; what was not told lives on, what nobody told stays unknown [LIMIT-01]', () => {
    const store = new RateLimitStore();
    store.update(
      snapshot({ primary: used(/* usedPercent */ 10), secondary: used(/* usedPercent */ 5), planType: 'pro' }),
    );
    store.update(snapshot({ limitId: 'other', limitName: 'Other', primary: used(/* usedPercent */ 90) }));
    store.update(
      snapshot({ primary: used(/* usedPercent */ 20), credits: { hasCredits: true, unlimited: false, balance: '1' } }),
    );
    store.update(snapshot());
    store.update(snapshot({ limitId: 'empty' }));
    expect([...store.all.values()]).toEqual([
      snapshot({
        primary: used(/* usedPercent */ 20),
        planType: 'pro',
        credits: { hasCredits: true, unlimited: false, balance: '1' },
      }),
      snapshot({ limitId: 'other', limitName: 'Other', primary: used(/* usedPercent */ 90) }),
    ]);
    expect(store.get('never')).toBeUndefined();
  });

  test('is fed by headers, events and error bodies alike [LIMIT-02]', async () => {
    const rateLimits = new RateLimitStore();
    await using server = await serve((response, _request, index) => {
      if (index === 0) {
        response.setHeader('x-codex-primary-used-percent', '12');
        response.setHeader('x-codex-other-primary-used-percent', '34');
        const event = {
          type: 'codex.rate_limits',
          limit_name: 'third',
          rate_limits: { primary: { used_percent: 56 } },
        };
        return answer(event, completed())(response, _request, index);
      }
      response.writeHead(429, { 'x-codex-active-limit': 'codex-other', 'x-codex-other-limit-name': 'Other' });
      response.end(
        JSON.stringify({ error: { type: 'usage_limit_reached', plan_type: 'plus', resets_at: 2_000_000_000 } }),
      );
    });
    using client = connect(server.url, { rateLimits });
    await drain(client.turn.stream(REQUEST, { signal: new AbortController().signal }));
    const { error } = await runToFailure(client.turn);
    expect(error.message).toMatch(/^The usage limit for Other is reached: switch to another model; try again at /);
    expect(
      [...rateLimits.all.values()].map(({ limitId, primary, planType }) => [limitId, primary?.usedPercent, planType]),
    ).toEqual([
      ['codex', 12, undefined],
      ['codex_other', 34, 'plus'],
      ['third', 56, undefined],
    ]);
    expect([...rateLimits.exhausted.values()]).toEqual([{ limitId: 'codex_other', resetsAtSeconds: 2_000_000_000 }]);
  });

  test('is not needed for a message: it names the limit by its id, and the reset of the window that is used up [LIMIT-04]', async () => {
    await using server = await serve((response) => {
      response.writeHead(429, {
        'x-codex-active-limit': 'codex_other',
        'x-codex-other-primary-used-percent': '100',
        'x-codex-other-primary-reset-at': '2000000000',
        'x-codex-other-secondary-used-percent': '50',
        'x-codex-other-secondary-reset-at': '2100000000',
      });
      response.end(JSON.stringify({ error: { type: 'usage_limit_reached' } }));
    });
    using client = connect(server.url);
    const { error } = await runToFailure(client.turn);
    expect(error.resetsAtSeconds).toBe(2_000_000_000);
    expect(error.message).toMatch(
      /^The usage limit for codex-other is reached: switch to another model; try again at May /,
    );
  });

  test('hears of limits also between the requests of a WebSocket [LIMIT-03]', async () => {
    const rateLimits = new RateLimitStore();
    await using server = await serveSockets({
      frame: (peer, frame, index) => {
        if (index === 1) {
          // In order on one connection: the first is read while nothing is under way, or the answer is not.
          peer.send(...answerEvents('r', 'x'));
          return;
        }
        answerAll(peer, frame, index);
        peer.send({ type: 'codex.rate_limits', rate_limits: { primary: { used_percent: 77 } } });
      },
    });
    using client = connect(server.url, {
      rateLimits,
      webSocket: 'when-supported',
      with: { supportsWebsockets: true },
    });
    await drain(client.turn.stream(REQUEST, { signal: new AbortController().signal }));
    await drain(client.turn.stream(REQUEST, { signal: new AbortController().signal }));
    expect(rateLimits.get('codex')?.primary?.usedPercent).toBe(77);
  });
});

describe('the usage endpoint', () => {
  test.each([
    ['https://chatgpt.com/', 'https://chatgpt.com/backend-api/wham/usage'],
    ['https://chat.openai.com', 'https://chat.openai.com/backend-api/wham/usage'],
    ['https://chatgpt.com/backend-api//', 'https://chatgpt.com/backend-api/wham/usage'],
    ['http://127.0.0.1:1/backend-api', 'http://127.0.0.1:1/backend-api/wham/usage'],
    ['http://127.0.0.1:1', 'http://127.0.0.1:1/api/codex/usage'],
  ])('of %s is %s [USAGE-01]', (base, expected) => {
    expect(usageUrl(base).href).toBe(expected);
  });

  const ask = async (url: string, credentials: Parameters<typeof fetchUsage>[0]['credentials']) => {
    const dialer = createDialer({ environment: {} });
    try {
      return await fetchUsage({
        dialer,
        chatgptBaseUrl: url,
        credentials,
        userAgent: 'quire_test',
        nowMs: 0,
        signal: new AbortController().signal,
      });
    } finally {
      dialer.close();
    }
  };
  const login = { kind: 'chatgpt', accessToken: 'secret-token', accountId: 'account' } as const;

  test('tells the default limit and the additional ones [USAGE-02] [CHECK-43] [CHECK-44] [CHECK-46] [TRAP-18]', async () => {
    const window = { used_percent: 12, limit_window_seconds: 18_001, reset_at: 2_000_000_000 };
    await using server = await serve((response) => {
      response.end(
        JSON.stringify({
          plan_type: 'pro',
          rate_limit: { primary_window: window, secondary_window: { used_percent: 1, limit_window_seconds: 0 } },
          credits: { has_credits: true, unlimited: false, balance: '9.99' },
          additional_rate_limits: [
            { limit_name: 'Other', metered_feature: 'codex_other', rate_limit: null },
            { limit_name: 'no id' },
          ],
        }),
      );
    });
    expect(await ask(server.url, login)).toEqual([
      snapshot({
        primary: { usedPercent: 12, windowMinutes: 301, resetsAtSeconds: 2_000_000_000 },
        secondary: { usedPercent: 1, windowMinutes: undefined, resetsAtSeconds: undefined },
        credits: { hasCredits: true, unlimited: false, balance: '9.99' },
        planType: 'pro',
      }),
      snapshot({ limitId: 'codex_other', limitName: 'Other', planType: 'pro' }),
    ]);
    const [request] = server.requests;
    expect([
      request?.method,
      request?.path,
      request?.headers.authorization,
      request?.headers['chatgpt-account-id'],
    ]).toEqual(['GET', '/api/codex/usage', 'Bearer secret-token', 'account']);
  });

  test('wants a ChatGPT login, a URL, and JSON; its failures are typed and hold no token [USAGE-03]', async () => {
    await using server = await serve((response, _request, index) => {
      response.statusCode = index === 0 ? 403 : 200;
      response.end('secret-token is not JSON');
    });
    await expect(ask(server.url, { kind: 'api-key', token: 'k' })).rejects.toMatchObject({ code: 'configuration' });
    await expect(ask('no url', login)).rejects.toMatchObject({ code: 'configuration' });
    const refused = await ask(server.url, login).catch((error: Error) => error);
    expect(refused).toMatchObject({ code: 'unexpected-status', httpStatus: 403 });
    expect(String(refused)).not.toContain('secret-token');
    await expect(ask(server.url, login)).rejects.toMatchObject({ code: 'stream-protocol' });
  });
});

describe('the receipt', () => {
  const receipts = async (stream: AsyncIterable<readonly { kind: string }[]>): Promise<RequestReceipt[]> => {
    const found: RequestReceipt[] = [];
    try {
      for await (const batch of stream) {
        for (const event of batch)
          if (event.kind === 'receipt') found.push((event as never as { receipt: RequestReceipt }).receipt);
      }
    } catch {
      // The failure is told by the receipt.
    }
    return found;
  };
  const withUsage = (id: string) => ({
    type: 'response.completed',
    response: {
      id,
      usage: {
        input_tokens: 100,
        input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
        output_tokens: 50,
        output_tokens_details: { reasoning_tokens: 20 },
      },
    },
  });
  const signal = new AbortController().signal;

  test('comes after the answer, with disjoint token buckets and the bytes of the line [RECEIPT-01]', async () => {
    await using server = await serve(answer(CREATED, textDelta('x'), withUsage('r')));
    using client = connect(server.url);
    const [first] = await receipts(client.turn.stream(REQUEST, { signal }));
    await new Promise((resolve) => setImmediate(resolve));
    const [second] = await receipts(client.turn.stream(REQUEST, { signal }));
    expect(first).toMatchObject({
      outcome: 'completed',
      transport: 'http',
      attempts: [{ transport: 'http', cause: undefined }],
      reusedConnection: false,
      incremental: false,
      firstTokenMs: 0,
      tokens: { freshInput: 30, cacheRead: 60, cacheWrite: 10, visibleOutput: 30, reasoning: 20 },
    });
    const body = server.requests[0]?.body ?? '';
    expect(first?.bytesSent).toBeGreaterThan(body.length);
    expect(second?.reusedConnection).toBe(true);
    expect(second?.bytesSent).toBe(first?.bytesSent);
  });

  test('tells every attempt of a request with its cause, over both transports [RECEIPT-02]', async () => {
    await using server = await serveSockets({
      frame: (peer) => peer.socket.close(1011),
      post: (response, _request, index) => {
        if (index === 0) {
          response.writeHead(500);
          response.end();
          return;
        }
        answer(textDelta('x'), withUsage('r'))(response, _request, index);
      },
    });
    using client = connect(server.url, {
      webSocket: 'when-supported',
      with: { supportsWebsockets: true, streamMaxRetries: 5, requestMaxRetries: 1 },
    });
    const [failed] = await receipts(client.turn.stream(REQUEST, { signal }));
    expect([failed?.outcome, failed?.attempts.length, failed?.tokens]).toEqual(['failed', 1, undefined]);
    expect(failed?.bytesSent).toBeGreaterThan(0);
    const [done] = await receipts(client.turn.stream(REQUEST, { signal }));
    expect(done?.attempts.map(({ transport, cause }) => [transport, cause?.code, cause?.httpStatus])).toEqual([
      ['websocket', 'stream-truncated', undefined],
      ['http', 'internal-server-error', 500],
      ['http', undefined, undefined],
    ]);
    expect([done?.outcome, done?.transport]).toEqual(['completed', 'http']);
    const [next] = await receipts(client.turn.stream(REQUEST, { signal }));
    expect(next?.attempts.length).toBe(1);
  });

  test('counts the bytes of attempts that failed, and no attempt twice [RECEIPT-13]', async () => {
    await using server = await serveSockets({
      post: (response, request, index) => {
        if (index > 2) return answer(textDelta('x'), withUsage('r'))(response, request, index);
        response.writeHead(500);
        response.end('x'.repeat(1000));
      },
    });
    using client = connect(server.url, { with: { requestMaxRetries: 1 } });
    const [failed] = await receipts(client.turn.stream(REQUEST, { signal }));
    const [done] = await receipts(client.turn.stream(REQUEST, { signal }));
    const body = server.requests[0]?.body.length ?? 0;
    expect([failed?.attempts.length, done?.attempts.length]).toEqual([2, 2]);
    expect(failed?.bytesSent).toBeGreaterThan(2 * body);
    expect(failed?.bytesReceived).toBeGreaterThan(2000);
    expect(done?.bytesSent).toBe(failed?.bytesSent);
    expect(done?.reusedConnection).toBe(true);
  });

  test('of an incremental request says so, and fewer bytes were sent [RECEIPT-03]', async () => {
    await using server = await serveSockets();
    using client = connect(server.url, { webSocket: 'when-supported', with: { supportsWebsockets: true } });
    const long = {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: 'x'.repeat(50_000) }],
    } as const;
    const request = { ...REQUEST, input: promptItems([long]) };
    const items: ResponseItem[] = [];
    const first: RequestReceipt[] = [];
    for await (const batch of client.turn.stream(request, { signal })) {
      for (const event of batch) {
        if (event.kind === 'item-end') items.push(event.item);
        if (event.kind === 'receipt') first.push(event.receipt);
      }
    }
    const next = { ...request, input: promptItems([...request.input, ...items]) };
    const [second] = await receipts(client.turn.stream(next, { signal }));
    expect([first[0]?.incremental, second?.incremental, second?.reusedConnection]).toEqual([false, true, true]);
    expect(second?.bytesSent).toBeLessThan(2000);
    expect(second?.bytesReceived).toBeGreaterThan(0);
  });
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _batch of stream) {
    // Only what it leaves behind is of interest.
  }
}
