import { promptItems } from '@quire/core';
import type { FunctionCallItem, FunctionCallOutputItem } from '@quire/protocol';
import { expect, test } from 'vitest';
import { BodyEncoder } from '../src/request/body.ts';
import { hostTraits } from '../src/request/host-traits.ts';
import { turnMetadataHeader } from '../src/request/turn-metadata.ts';
import {
  answer,
  beginTurn,
  CREATED,
  completed,
  connect,
  REQUEST,
  run,
  runToFailure,
  serve,
  THREAD_ID,
} from './support.ts';

const ok = answer(CREATED, completed());

test('the body has the documented fields and nothing else [REQUEST-01] [REQUEST-02]', async () => {
  await using server = await serve(ok);
  using client = connect(server.url);
  const input = promptItems([
    { type: 'message', id: 'msg-9', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
    { type: 'unknown', raw: { type: 'future', id: 'x', deep: { id: 'kept' } } },
  ]);
  await run(client.turn, { ...REQUEST, input });
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
    model: 'test-model',
    instructions: 'Be brief.',
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      { type: 'future', id: 'x', deep: { id: 'kept' } },
    ],
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: false,
    reasoning: null,
    store: false,
    stream: true,
    include: [],
    prompt_cache_key: THREAD_ID,
  });
});

test('reasoning, verbosity, schema, tier and tools are written when they are there [REQUEST-01]', async () => {
  await using server = await serve(ok);
  using client = connect(server.url);
  const tool = {
    type: 'function',
    name: 'f',
    description: 'd',
    strict: false,
    parameters: { type: 'object' },
  } as const;
  await run(client.turn, {
    ...REQUEST,
    tools: [tool],
    parallelToolCalls: true,
    reasoning: { effort: 'high', summary: 'none' },
    verbosity: 'low',
    outputSchema: { type: 'object' },
    serviceTier: 'flex',
  });
  expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
    tools: [tool],
    parallel_tool_calls: true,
    reasoning: { effort: 'high' },
    include: ['reasoning.encrypted_content'],
    service_tier: 'flex',
    text: {
      verbosity: 'low',
      format: { type: 'json_schema', strict: true, schema: { type: 'object' }, name: 'codex_output_schema' },
    },
  });
  expect(server.requests[0]?.body).not.toContain('"summary"');
});

test('an item is turned to JSON once, and what was sent before stays byte for byte the same [REQUEST-03]', () => {
  const encoder = new BodyEncoder({
    threadId: THREAD_ID,
    traits: { storeItems: false, itemIds: false, searchesWeb: true, losesItemEnds: true },
  });
  let reads = 0;
  const call: FunctionCallItem = {
    type: 'function_call',
    call_id: 'c1',
    name: 'f',
    get arguments() {
      reads += 1;
      return '{"ü":1}';
    },
  };
  const output: FunctionCallOutputItem = { type: 'function_call_output', call_id: 'c1', output: 'done' };
  const called = [...REQUEST.input, call, output];
  const first = encoder.encode({ ...REQUEST, input: promptItems(called) }).toString();
  const readsOnce = reads;
  const second = encoder.encode({ ...REQUEST, input: promptItems([...called, ...REQUEST.input]) }).toString();
  expect([readsOnce > 0, reads]).toEqual([true, readsOnce]);
  const commonLength = first.indexOf('],"tools"');
  expect(second.slice(0, commonLength)).toBe(first.slice(0, commonLength));
  expect(JSON.parse(second).input).toHaveLength(4);
});

test('Azure gets stored responses and the ids of the items that have one [REQUEST-04]', () => {
  const encoder = new BodyEncoder({
    threadId: THREAD_ID,
    traits: hostTraits({ id: 'az', name: 'Azure', baseUrl: undefined }),
  });
  const input = promptItems([
    { type: 'message', id: 'msg-1', role: 'user', content: [] },
    { type: 'message', id: '', role: 'user', content: [] },
    { type: 'function_call', id: 'fc-1', call_id: 'c', name: 'f', arguments: '{}' },
    { type: 'function_call_output', id: 'fco-1', call_id: 'c', output: 'x' },
  ]);
  expect(JSON.parse(encoder.encode({ ...REQUEST, input }).toString())).toMatchObject({
    store: true,
    input: [
      { type: 'message', id: 'msg-1', role: 'user', content: [] },
      { type: 'message', role: 'user', content: [] },
      { type: 'function_call', id: 'fc-1', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'x' },
    ],
  });
});

test('headers are the documented ones [REQUEST-05]', async () => {
  await using server = await serve(ok);
  using client = connect(`${server.url}/v1/`, {
    subagent: 'review',
    betaFeatures: ['one', 'two'],
    environment: { TRACE: ' t-1 ', EMPTY: ' ', OPENAI_PROJECT: 'not for this provider' },
    with: {
      queryParams: { 'api-version': '2026' },
      httpHeaders: { 'X-Static': 'yes', Accept: 'ignored' },
      envHttpHeaders: { 'X-Trace': 'TRACE', 'X-Empty': 'EMPTY', 'X-Unset': 'UNSET' },
    },
  });
  await run(client.turn);
  const received = server.requests[0];
  expect([received?.method, received?.path]).toEqual(['POST', '/v1/responses?api-version=2026']);
  expect(received?.headers).toEqual({
    accept: 'text/event-stream',
    authorization: 'Bearer key-of-the-test',
    connection: 'keep-alive',
    'content-length': String(Buffer.byteLength(received?.body ?? '')),
    'content-type': 'application/json',
    host: `127.0.0.1:${server.port}`,
    originator: 'quire_test',
    session_id: THREAD_ID,
    'session-id': THREAD_ID,
    'thread-id': THREAD_ID,
    'user-agent': 'quire_test/1.2.3 (TestOS 1; x64) none',
    'x-client-request-id': THREAD_ID,
    'x-codex-beta-features': 'one,two',
    'x-codex-turn-metadata': '{"turn_id":"turn-1"}',
    'x-openai-subagent': 'review',
    'x-static': 'yes',
    'x-trace': 't-1',
  });
});

test('the built-in provider and a login add theirs [REQUEST-06]', async () => {
  await using server = await serve(ok);
  using client = connect(server.url, {
    environment: { OPENAI_ORGANIZATION: 'org-1', OPENAI_PROJECT: 'proj-1' },
    with: { id: 'openai', name: 'OpenAI' },
    credentials: { current: () => Promise.resolve({ kind: 'chatgpt', accessToken: 'access-1', accountId: 'acc-1' }) },
  });
  await run(client.turn);
  expect(server.requests[0]?.headers).toMatchObject({
    authorization: 'Bearer access-1',
    'chatgpt-account-id': 'acc-1',
    version: '1.2.3',
    'openai-organization': 'org-1',
    'openai-project': 'proj-1',
  });
});

test('without credentials there is no authorization header [REQUEST-06]', async () => {
  await using server = await serve(ok);
  using client = connect(server.url, { credentials: { current: () => Promise.resolve({ kind: 'none' }) } });
  await run(client.turn);
  expect(server.requests[0]?.headers.authorization).toBeUndefined();
});

test('turn metadata is printable ASCII, and left out when it is too long [REQUEST-07]', () => {
  const metadata = { path: '/home/jürgen/日本\u007f' };
  const header = turnMetadataHeader(metadata);
  expect(header).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(header ?? '')).toEqual(metadata);
  expect(turnMetadataHeader({ long: 'x'.repeat(9000) })).toBeUndefined();
});

test('the turn state is echoed within its turn only, the first one wins [REQUEST-08]', async () => {
  await using server = await serve((response, _request, index) => {
    response.writeHead(200, { 'x-codex-turn-state': `state-${index}` });
    response.end(`data: ${JSON.stringify(completed())}\n\n`);
  });
  using client = connect(server.url);
  await run(client.turn);
  await run(client.turn);
  await run(client.turn);
  await run(beginTurn(client.port));
  expect(server.requests.map(({ headers }) => headers['x-codex-turn-state'])).toEqual([
    undefined,
    'state-0',
    'state-0',
    undefined,
  ]);
});

test.each([
  [
    'a missing key variable',
    { envKey: 'ACME_KEY', envKeyInstructions: 'see acme.example' },
    {},
    'the environment variable ACME_KEY, which holds the key for the model provider "test", is not set (see acme.example)',
  ],
  [
    'a blank key variable',
    { envKey: 'ACME_KEY' },
    { ACME_KEY: ' ' },
    'the environment variable ACME_KEY, which holds the key for the model provider "test", is not set',
  ],
  [
    'a base_url that is no URL',
    { baseUrl: 'nowhere' },
    {},
    'the base_url of the model provider "test" is not an http or https URL; correct it in the configuration',
  ],
  [
    'a header that HTTP can not carry',
    { httpHeaders: { 'x-a': 'secret\nvalue' } },
    {},
    'http_headers of the model provider "test" holds characters that an HTTP header can not carry; correct it',
  ],
])(
  '%s is a configuration error before anything is sent [REQUEST-09]',
  async (_name, overrides, environment, message) => {
    await using server = await serve(ok);
    using client = connect(server.url, { with: overrides, environment });
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, error.message]).toEqual(['configuration', false, message]);
    expect(server.requests).toEqual([]);
  },
);

test('what the credentials source throws ends the request with its message [REQUEST-10]', async () => {
  const cause = Object.assign(new Error('no credentials: set CODEX_API_KEY'), { code: 'no-credentials' });
  using client = connect('http://127.0.0.1:9', { credentials: { current: () => Promise.reject(cause) } });
  const { error } = await runToFailure(client.turn);
  expect([error.code, error.retryable, error.message, error.cause]).toEqual([
    'unauthorized',
    false,
    'no credentials: set CODEX_API_KEY',
    cause,
  ]);
});
