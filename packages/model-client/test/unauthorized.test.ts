import { ModelError } from '@quire/protocol';
import { expect, test } from 'vitest';
import type { AuthTags, CredentialsSource, RecoveryReport, RecoveryStep } from '../src/index.ts';
import { answer, completed, connect, run, runToFailure, serve } from './support.ts';

const step = (phase: RecoveryStep['phase'], token: string): RecoveryStep => ({
  mode: 'managed',
  phase,
  credentials: { kind: 'chatgpt', accessToken: token, accountId: 'account' },
  changed: true,
});

const source = (...steps: readonly (RecoveryStep | ModelError)[]): CredentialsSource => ({
  current: async () => ({ kind: 'chatgpt', accessToken: 'token-zero', accountId: 'account' }),
  recover: async function* () {
    for (const next of steps) {
      if (next instanceof ModelError) throw next;
      yield next;
    }
  },
});

/** Accepts one token only. */
const guarded = (accepted: string) =>
  serve((response, request, index) => {
    if (request.headers.authorization === `Bearer ${accepted}`) return answer(completed())(response, request, index);
    const code = Buffer.from(JSON.stringify({ error: { code: 'token_expired' } })).toString('base64');
    response.writeHead(401, { 'x-request-id': `req-${index}`, 'cf-ray': 'ray', 'x-error-json': code });
    response.end('{}');
  });

test('a 401 is answered with each step of the recovery in turn, without delay [RECOVER-01]', async () => {
  const reports: RecoveryReport[] = [];
  await using server = await guarded('token-two');
  using client = connect(server.url, {
    credentials: source(step('reload', 'token-one'), step('refresh_token', 'token-two')),
    observer: { authRecovery: (report) => reports.push(report) },
  });
  await run(client.turn);
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer token-zero',
    'Bearer token-one',
    'Bearer token-two',
  ]);
  expect(reports.map(({ mode, step, outcome, evidence }) => [mode, step, outcome, evidence])).toEqual([
    [
      'managed',
      'reload',
      'recovery_succeeded',
      { requestId: 'req-0', cfRay: 'ray', error: undefined, errorCode: 'token_expired' },
    ],
    [
      'managed',
      'refresh_token',
      'recovery_succeeded',
      { requestId: 'req-1', cfRay: 'ray', error: undefined, errorCode: 'token_expired' },
    ],
  ]);
});

test('a recovery that has no step left, or never had one, leaves the 401 as it is [RECOVER-02]', async () => {
  const reports: unknown[] = [];
  await using server = await guarded('never');
  using client = connect(server.url, {
    credentials: source(step('reload', 'token-one')),
    observer: { authRecovery: ({ outcome, reason }) => reports.push([outcome, reason]) },
  });
  using keyed = connect(server.url, {
    observer: { authRecovery: ({ outcome, reason }) => reports.push([outcome, reason]) },
  });
  expect((await runToFailure(client.turn)).error).toMatchObject({ code: 'unauthorized', retryable: false });
  expect((await runToFailure(keyed.turn)).error).toMatchObject({ code: 'unauthorized', retryable: false });
  expect(server.requests.length).toBe(3);
  expect(reports).toEqual([
    ['recovery_succeeded', undefined],
    ['recovery_not_run', 'recovery_exhausted'],
    ['recovery_not_run', 'not_chatgpt_auth'],
  ]);
});

test.each([
  [false, 'recovery_failed_permanent'],
  [true, 'recovery_failed_transient'],
])('a step that fails (retryable: %s) ends the request with its own error [RECOVER-03]', async (retryable, outcome) => {
  const reports: string[] = [];
  const failure = new ModelError('unauthorized', 'log in again', { retryable });
  await using server = await guarded('never');
  using client = connect(server.url, {
    credentials: source(failure),
    observer: { authRecovery: (report) => reports.push(report.outcome) },
  });
  expect((await runToFailure(client.turn)).error).toBe(failure);
  expect([server.requests.length, reports]).toEqual([1, [outcome]]);
});

test('the tags tell request, recovery and follow-up apart, keep the last 401, and hold no token [RECOVER-04]', async () => {
  const tags: AuthTags[] = [];
  await using server = await guarded('token-one');
  using client = connect(server.url, {
    credentials: source(step('reload', 'token-one')),
    environment: { OPENAI_API_KEY: 'in-the-environment' },
    observer: { authTags: (record) => tags.push(record) },
  });
  await run(client.turn);
  await run(client.turn);
  expect(
    tags.map((record) => [
      record.auth_recovery_phase,
      record.auth_recovery_outcome,
      record.auth_retry_after_unauthorized,
      record.auth_recovery_followup_success,
      record.auth_recovery_followup_status,
      record.auth_request_id,
      record.auth_401_request_id,
    ]),
  ).toEqual([
    ['', '', 'false', '', '', 'req-0', 'req-0'],
    ['reload', 'recovery_succeeded', 'false', '', '', 'req-0', 'req-0'],
    ['reload', '', 'true', 'true', '200', '', 'req-0'],
    ['', '', 'false', '', '', 'req-2', 'req-2'],
    ['reload', 'recovery_succeeded', 'false', '', '', 'req-2', 'req-2'],
    ['reload', '', 'true', 'true', '200', '', 'req-2'],
  ]);
  expect(tags.at(-1)).toMatchObject({
    endpoint: '/responses',
    auth_mode: 'Chatgpt',
    auth_header_attached: 'true',
    auth_header_name: 'authorization',
    auth_401_error_code: 'token_expired',
    auth_env_openai_api_key_present: 'true',
    auth_env_codex_api_key_present: 'false',
  });
  expect(JSON.stringify(tags)).not.toMatch(/token-zero|token-one|in-the-environment/);
});

test('a token that the server repeats in its refusal is in no tag and no report [RECOVER-05]', async () => {
  const said: unknown[] = [];
  const code = Buffer.from(JSON.stringify({ error: { code: 'no-token-zero' } })).toString('base64');
  await using server = await serve((response) => {
    response.writeHead(401, { 'x-openai-authorization-error': 'what is token-zero', 'x-error-json': code });
    response.end('{}');
  });
  using client = connect(server.url, {
    credentials: source(),
    observer: { authRecovery: (report) => said.push(report), authTags: (tags) => said.push(tags) },
  });
  await runToFailure(client.turn);
  expect(JSON.stringify(said)).not.toContain('token-zero');
  expect(said).toContainEqual(expect.objectContaining({ auth_401_error: 'what is [hidden]' }));
});
