import type { ModelError, ModelErrorCode } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { httpError } from '../src/errors/http-error.ts';
import { printableUrl } from '../src/errors/redact.ts';
import { responseFailedError, responseIncompleteError } from '../src/errors/response-error.ts';
import { parseDelayInMessage, parseRetryAfter } from '../src/errors/retry-after.ts';
import { formatResetTime } from '../src/errors/usage-limit.ts';
import { answer, completed, connect, recordingClock, run, runToFailure, serve } from './support.ts';

const NOW = new Date(2026, 1, 3, 12).getTime();
const CONTEXT = {
  nowMs: NOW,
  secrets: ['sk-secret-key'],
  credentials: 'api-key',
  remedy: undefined,
} as const;
const URL_TEXT = 'http://h/v1/responses';

function fromStatus(status: number, body: unknown, headers: Record<string, string> = {}): ModelError {
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  return httpError({ status, headers, bodyText, url: URL_TEXT }, CONTEXT);
}

test.each<[number, unknown, Record<string, string>, ModelErrorCode, boolean, string]>([
  [
    400,
    { error: { code: 'context_length_exceeded', message: 'too long' } },
    {},
    'context-window-exceeded',
    false,
    'too long',
  ],
  [400, { error: { code: 'invalid_prompt', message: 'no' } }, {}, 'invalid-request', false, 'no'],
  [400, { error: { code: 'cyber_policy', message: 'refused' } }, {}, 'policy', false, 'refused'],
  [400, { detail: 'odd' }, {}, 'invalid-request', false, '{"detail":"odd"}'],
  [
    400,
    { error: { message: 'The image data you provided does not represent a valid image.' } },
    {},
    'invalid-image',
    false,
    'the provider can not read an image of this conversation; remove it and try again',
  ],
  [
    404,
    { error: { message: ' no such model ' } },
    { 'x-request-id': 'req-1', 'cf-ray': 'ray-1' },
    'unexpected-status',
    true,
    'unexpected status 404 Not Found: no such model, url: http://h/v1/responses, cf-ray: ray-1, request id: req-1',
  ],
  [
    403,
    '<html>Cloudflare: you were blocked</html>',
    { 'x-oai-request-id': 'req-2' },
    'unexpected-status',
    true,
    'unexpected status 403 Forbidden: access was blocked by Cloudflare, which usually means that the provider does not serve this region or network, url: http://h/v1/responses, request id: req-2',
  ],
  [
    402,
    '',
    {},
    'unexpected-status',
    true,
    'unexpected status 402 Payment Required: Unknown error, url: http://h/v1/responses',
  ],
  [
    407,
    '',
    {},
    'proxy',
    false,
    'the proxy wants credentials (407); put them into the proxy URL: http://user:password@host:port',
  ],
  [
    429,
    { error: { type: 'usage_not_included' } },
    {},
    'usage-not-included',
    false,
    'the plan of this account does not include this use: upgrade to Plus, or use an API key',
  ],
  [
    429,
    { error: { code: 'insufficient_quota' } },
    {},
    'quota-exceeded',
    false,
    'the quota is used up: check plan and billing of the account',
  ],
  [
    429,
    '',
    {},
    'retry-limit',
    false,
    'too many requests: unexpected status 429 Too Many Requests: Unknown error, url: http://h/v1/responses',
  ],
  [
    500,
    { error: { message: 'x' } },
    {},
    'internal-server-error',
    true,
    'the provider failed to answer, perhaps because of high demand: unexpected status 500 Internal Server Error: x, url: http://h/v1/responses',
  ],
  [
    503,
    { error: { code: 'server_is_overloaded' } },
    {},
    'overloaded',
    false,
    'the model is at capacity; try again later or choose another model',
  ],
  [
    503,
    { error: { code: 'slow_down' } },
    {},
    'overloaded',
    false,
    'the model is at capacity; try again later or choose another model',
  ],
  [
    503,
    'busy',
    {},
    'unexpected-status',
    true,
    'unexpected status 503 Service Unavailable: busy, url: http://h/v1/responses',
  ],
  [
    502,
    'x'.repeat(2000),
    {},
    'unexpected-status',
    true,
    `unexpected status 502 Bad Gateway: ${'x'.repeat(1000)}..., url: http://h/v1/responses`,
  ],
])('status %i with %j is told apart [ERROR-01] [ERROR-02]', (status, body, headers, code, retryable, message) => {
  const error = fromStatus(status, body, headers);
  expect([error.code, error.retryable, error.message, error.httpStatus]).toEqual([code, retryable, message, status]);
});

test('401 with a key is final and names the variable; the evidence in the headers is told [ERROR-03]', () => {
  const error = fromStatus(
    /* status */ 401,
    { error: { message: 'bad key sk-secret-key' } },
    {
      'x-request-id': 'req-1',
      'x-openai-authorization-error': 'expired',
      'x-error-json': Buffer.from('{"error":{"code":"token_expired"}}').toString('base64'),
    },
  );
  expect([error.code, error.retryable, error.requestId, error.message]).toEqual([
    'unauthorized',
    false,
    'req-1',
    'unexpected status 401 Unauthorized: bad key [hidden], url: http://h/v1/responses, request id: req-1, auth error: expired, auth error code: token_expired; the key was refused: store another with quire login --with-api-key',
  ]);
});

test('429 with a Retry-After is retryable after that delay [ERROR-04]', () => {
  const error = fromStatus(/* status */ 429, '', { 'retry-after': '2' });
  expect([error.code, error.retryable, error.retryAfterMs]).toEqual(['rate-limited', true, 2000]);
});

describe('usage limits', () => {
  const at = new Date(2026, 1, 3, 15, 5).getTime() / 1000;
  test.each<[Record<string, unknown>, Record<string, string>, string]>([
    [
      { plan_type: 'plus', resets_at: at },
      {},
      'The usage limit is reached: upgrade to Pro or buy credits; try again at 3:05 PM.',
    ],
    [
      { plan_type: 'team', resets_in_seconds: 3 * 3600 + 300 },
      {},
      'The usage limit is reached: ask an administrator of the workspace for more; try again at 3:05 PM.',
    ],
    [{ plan_type: 'enterprise' }, {}, 'The usage limit is reached; try again later.'],
    [
      { plan_type: 'plus', resets_at: at },
      { 'x-codex-promo-message': 'Half price today.' },
      'The usage limit is reached. Half price today; try again at 3:05 PM.',
    ],
    [
      { resets_at: at },
      { 'x-codex-active-limit': 'codex_other', 'x-codex-other-limit-name': 'Other' },
      'The usage limit for Other is reached: switch to another model; try again at 3:05 PM.',
    ],
  ])('%j with %j [ERROR-05]', (error, headers, message) => {
    const result = fromStatus(/* status */ 429, { error: { type: 'usage_limit_reached', ...error } }, headers);
    expect([result.code, result.retryable, result.message]).toEqual(['usage-limit-reached', false, message]);
    expect(result.resetsAtSeconds).toBe('plan_type' in error && error['plan_type'] === 'enterprise' ? undefined : at);
  });

  test('a reset on another day is told with its date [ERROR-05]', () => {
    const format = (month: number, day: number, hour: number) =>
      formatResetTime(new Date(2026, month, day, hour, 7).getTime() / 1000, NOW);
    expect([
      format(/* month */ 1, /* day */ 4, /* hour */ 0),
      format(/* month */ 2, /* day */ 1, /* hour */ 12),
      format(/* month */ 2, /* day */ 22, /* hour */ 23),
      format(/* month */ 2, /* day */ 13, /* hour */ 9),
    ]).toEqual([
      'Feb 4th, 2026 12:07 AM',
      'Mar 1st, 2026 12:07 PM',
      'Mar 22nd, 2026 11:07 PM',
      'Mar 13th, 2026 9:07 AM',
    ]);
  });

  test('the limits in the headers of the refusal come as events before the error [ERROR-05]', async () => {
    await using server = await serve((response) => {
      response.writeHead(429, { 'x-codex-primary-used-percent': '100', 'x-codex-primary-window-minutes': '300' });
      response.end('{"error":{"type":"usage_limit_reached"}}');
    });
    using client = connect(server.url, { with: { requestMaxRetries: 4 } });
    const { events, error } = await runToFailure(client.turn);
    const primary = { usedPercent: 100, windowMinutes: 300, resetsAtSeconds: undefined };
    expect(events).toEqual([
      {
        kind: 'rate-limits',
        snapshot: {
          limitId: 'codex',
          limitName: undefined,
          primary,
          secondary: undefined,
          credits: undefined,
          planType: undefined,
        },
      },
    ]);
    expect([error.code, server.requests.length]).toEqual(['usage-limit-reached', 1]);
  });
});

test.each<[string, ModelErrorCode, boolean]>([
  ['context_length_exceeded', 'context-window-exceeded', false],
  ['insufficient_quota', 'quota-exceeded', false],
  ['usage_not_included', 'usage-not-included', false],
  ['invalid_prompt', 'invalid-request', false],
  ['bio_policy', 'policy', false],
  ['cyber_policy', 'policy', false],
  ['server_is_overloaded', 'overloaded', false],
  ['slow_down', 'overloaded', false],
  ['rate_limit_exceeded', 'rate-limited', true],
  ['server_is_slow_down', 'response-failed', true],
  ['server_error', 'response-failed', true],
])('a failed response with code %s is told apart [ERROR-06]', (code, expected, retryable) => {
  const error = responseFailedError({ response: { error: { code, message: 'said so' } } }, { requestId: 'req-1' });
  expect([error.code, error.retryable, error.requestId]).toEqual([expected, retryable, 'req-1']);
});

test('a failed response without an error is retryable [ERROR-06]', () => {
  const error = responseFailedError({ response: { error: null } }, { requestId: undefined });
  expect([error.code, error.retryable, error.message]).toEqual([
    'response-failed',
    true,
    'response.failed event received',
  ]);
});

test('an incomplete response names its reason [ERROR-07]', () => {
  const named = responseIncompleteError(
    { response: { incomplete_details: { reason: 'max_output_tokens' } } },
    { requestId: undefined },
  );
  const unnamed = responseIncompleteError({ response: {} }, { requestId: undefined });
  expect([named.message, unnamed.message, named.retryable]).toEqual([
    'incomplete response returned, reason: max_output_tokens',
    'incomplete response returned, reason: unknown',
    true,
  ]);
});

test.each<[string, number | undefined]>([
  ['Rate limit reached. Please try again in 1.5s.', 1500],
  ['TRY AGAIN IN 120ms', 120],
  ['try again in 28.9 ms', 28],
  ['try again in 2 seconds', 2000],
  ['try again in 1 second', 1000],
  ['try again in 3 minutes', undefined],
  ['no delay', undefined],
])('the delay in %j is %j ms [ERROR-08]', (message, delayMs) => {
  expect(parseDelayInMessage(message)).toBe(delayMs);
  const error = responseFailedError(
    { response: { error: { code: 'rate_limit_exceeded', message } } },
    { requestId: undefined },
  );
  expect(error.retryAfterMs).toBe(delayMs);
});

test.each<[string | undefined, number | undefined]>([
  ['2', 2000],
  ['0.5', 500],
  ['600', 60_000],
  [new Date(Math.ceil(NOW / 1000) * 1000 + 5000).toUTCString(), 5000],
  [new Date(NOW - 5000).toUTCString(), 0],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After %j is %j ms, at most a minute [ERROR-04]', (value, delayMs) => {
  expect(parseRetryAfter(value, NOW)).toBe(delayMs);
});

test('a URL is shown without user info and secrets [ERROR-09]', () => {
  const url = new URL('https://user:pass@h/p?api-version=1&api-key=abc&x');
  expect(printableUrl(url)).toBe('https://h/p?api-version=1&api-key=[hidden]&x');
});

describe('retries of one request', () => {
  test('5xx answers are repeated with growing delays, then the error stands [RETRY-01] [RETRY-02]', async () => {
    await using server = await serve((response) => response.writeHead(500).end());
    const clock = recordingClock();
    using client = connect(server.url, { clock, with: { requestMaxRetries: 4 } });
    const { error } = await runToFailure(client.turn);
    expect([error.code, server.requests.length, clock.delaysMs]).toEqual([
      'internal-server-error',
      5,
      [200, 400, 800, 1600],
    ]);
    expect(new Set(server.requests.map(({ body }) => body)).size).toBe(1);
    expect(server.sockets).toHaveLength(1);
  });

  test('an overloaded server is asked again here, although the turn will not [RETRY-01]', async () => {
    await using server = await serve((response) =>
      response.writeHead(503).end('{"error":{"code":"server_is_overloaded"}}'),
    );
    using client = connect(server.url, { with: { requestMaxRetries: 2 } });
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, server.requests.length]).toEqual(['overloaded', false, 3]);
  });

  test('Retry-After replaces the delay, and a success ends the retries [RETRY-02]', async () => {
    await using server = await serve((response, request, index) => {
      if (index === 0) response.writeHead(503, { 'retry-after': '2' }).end();
      else answer(completed())(response, request, index);
    });
    const clock = recordingClock();
    const attempts: unknown[] = [];
    using client = connect(server.url, {
      clock,
      with: { requestMaxRetries: 4 },
      observer: { requestAttempt: (attempt) => attempts.push(attempt) },
    });
    await run(client.turn);
    expect(clock.delaysMs).toEqual([2000]);
    expect(attempts).toEqual([
      { attempt: 0, endpoint: '/responses', status: 503, error: 'unexpected-status', durationMs: 0 },
      { attempt: 1, endpoint: '/responses', status: 200, error: undefined, durationMs: 0 },
    ]);
  });

  test.each([400, 401, 404, 429])('status %i is not repeated here [RETRY-03]', async (status) => {
    await using server = await serve((response) => response.writeHead(status).end());
    using client = connect(server.url, { with: { requestMaxRetries: 4 } });
    await runToFailure(client.turn);
    expect(server.requests).toHaveLength(1);
  });

  test('a stream that broke off is not repeated here [RETRY-03]', async () => {
    await using server = await serve(answer());
    using client = connect(server.url, { with: { requestMaxRetries: 4 } });
    const { error } = await runToFailure(client.turn);
    expect([error.code, server.requests.length]).toEqual(['stream-truncated', 1]);
  });

  test('aborting during the delay rejects with the reason [RETRY-04]', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    await using server = await serve((response) => response.writeHead(500).end());
    const sleep = (_ms: number, { signal }: { signal: AbortSignal }) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        controller.abort(reason);
      });
    using client = connect(server.url, { clock: { now: () => NOW, sleep }, with: { requestMaxRetries: 4 } });
    await expect(run(client.turn, /* request */ undefined, controller.signal)).rejects.toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  test('an error body that never ends does not hold the error back for ever, nor does it survive an abort [RETRY-04]', async () => {
    const controller = new AbortController();
    await using server = await serve((response) => {
      response.writeHead(404);
      response.write('part');
      setImmediate(() => controller.abort(new Error('enough')));
    });
    using client = connect(server.url);
    await expect(run(client.turn, /* request */ undefined, controller.signal)).rejects.toThrow('enough');
  });
});
