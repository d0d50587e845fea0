import { connect } from 'node:net';
import type { JsonObject, JsonValue } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { rehearse, respond, Simulator, type SimulatorOptions } from '../../src/index.ts';
import { bodyWith, type PostOptions, post, userMessage } from '../support/client.ts';

const call = (callId: string, type = 'function_call'): JsonObject =>
  type === 'custom_tool_call'
    ? { type, call_id: callId, name: 'tool', input: '' }
    : type === 'local_shell_call'
      ? { type, call_id: callId, status: 'completed', action: { type: 'exec', command: ['ls'] } }
      : { type, call_id: callId, name: 'tool', arguments: '{}' };
const result = (callId: string, type = 'function_call_output'): JsonObject => ({ type, call_id: callId, output: 'ok' });

interface Sent {
  readonly body: JsonValue | Buffer;
  readonly options?: PostOptions;
}

/** Sends the requests one after the other; the last answer's status and all violations. */
async function judge(
  sent: readonly Sent[],
  options: SimulatorOptions = {},
): Promise<readonly [number, readonly string[]]> {
  const sim = await Simulator.start({ rules: rehearse(() => respond()), ...options });
  try {
    let code = 0;
    for (const { body, options: how } of sent) code = (await post(sim, body, how)).status;
    return [code, sim.violations];
  } finally {
    await sim.stop();
  }
}

const withInput = (...input: readonly JsonObject[]): Sent => ({ body: bodyWith({ input }) });
const without = (name: string): JsonObject =>
  Object.fromEntries(Object.entries(bodyWith()).filter(([key]) => key !== name));

describe('a request that breaks no invariant', () => {
  test('is answered by the script: calls of each kind, a growing history, both client generations [SIM-60]', async () => {
    const calls = [call('a'), call('b', 'custom_tool_call'), call('c', 'local_shell_call')];
    const outputs = [result('a'), result('b', 'custom_tool_call_output'), result('c')];
    const first = [userMessage('go')];
    const {
      instructions: _instructions,
      tools: _tools,
      ...newer
    } = bodyWith({
      prompt_cache_key: 'newer',
      reasoning: { effort: 'low' },
      include: ['reasoning.encrypted_content'],
      client_metadata: { a: 'b' },
      text: {
        verbosity: 'low',
        format: { type: 'json_schema', strict: true, schema: {}, name: 'codex_output_schema' },
      },
    });

    expect(await judge([withInput(...first), withInput(...first, ...calls, ...outputs), { body: newer }])).toEqual([
      200,
      [],
    ]);
  });
});

describe('a broken invariant is answered with status 400 and reported:', () => {
  test.each<readonly [string, Sent, string]>([
    ['a body that is no JSON', { body: Buffer.from('{"model":') }, 'the body is not a JSON object'],
    ['a body that is an array', { body: [] }, 'the body is not a JSON object'],
    [
      'another accept',
      { body: bodyWith(), options: { headers: { accept: 'application/json' } } },
      'the header accept must be text/event-stream',
    ],
    [
      'another content type',
      { body: bodyWith(), options: { headers: { 'content-type': 'text/plain' } } },
      'the header content-type must be application/json',
    ],
    ['a required field that is missing', { body: without('store') }, 'the body lacks store, which must be a boolean'],
    [
      'a field of another type',
      { body: bodyWith({ include: 'all' }) },
      "the body's include must be an array of strings",
    ],
    ['a request without streaming', { body: bodyWith({ stream: false }) }, "the body's stream must be true"],
    ['an unknown field', { body: bodyWith({ temperature: 1 }) }, 'the body has the unknown field temperature'],
    [
      'a schema that is not strict',
      { body: bodyWith({ text: { format: { type: 'json_schema', schema: {}, name: 'x' } } }) },
      "the body's text must be an object with verbosity or format",
    ],
    [
      'two tools of one name',
      {
        body: bodyWith({
          tools: [
            { type: 'function', name: 't' },
            { type: 'custom', name: 't' },
          ],
        }),
      },
      'the tool t is offered twice',
    ],
    [
      'no name for the thread',
      { body: without('prompt_cache_key') },
      'nothing names the thread: send prompt_cache_key or the session id header',
    ],
    ['a call without output', withInput(call('a')), 'input[0] (function_call a) has no output'],
    [
      'a call with two outputs',
      withInput(call('a'), result('a'), result('a')),
      'input[2] (function_call_output a) is one output too many for input[0]',
    ],
    ['an output without call', withInput(result('a')), 'input[0] (function_call_output a) has no call before it'],
    [
      'an output of another kind',
      withInput(call('a', 'custom_tool_call'), result('a')),
      'input[1] (function_call_output a) answers a custom_tool_call, which wants a custom_tool_call_output',
    ],
    [
      'a call id used twice',
      withInput(call('a'), result('a'), call('a')),
      'input[2] (function_call) uses the call id a of input[0]',
    ],
    [
      'an item id used twice',
      withInput({ ...userMessage('a'), id: 'm' }, { ...userMessage('b'), id: 'm' }),
      'input[1] uses the item id m of input[0]',
    ],
    ['an item without type', withInput({ role: 'user' }), 'input[0] (no type) lacks type'],
    [
      'a call without name',
      withInput({ type: 'function_call', call_id: 'a', arguments: '' }, result('a')),
      'input[0] (function_call) lacks name',
    ],
    [
      'an output without text',
      withInput(call('a'), { type: 'function_call_output', call_id: 'a' }),
      'input[1] (function_call_output) lacks output (a string or parts)',
    ],
    [
      'input text from the assistant',
      withInput({ ...userMessage('a'), role: 'assistant' }),
      'input[0] (message of role assistant) holds input_text',
    ],
    ['an unknown role', withInput({ ...userMessage('a'), role: 'robot' }), 'input[0] (message) has no known role'],
  ])('%s [SIM-61]', async (_name, sent, problem) => {
    expect(await judge([sent])).toEqual([400, [`request 0: ${problem}`]]);
  });

  test('an output before its call is an orphan, and the call has none [SIM-61]', async () => {
    expect(await judge([withInput(result('a'), call('a'))])).toEqual([
      400,
      [
        'request 0: input[0] (function_call_output a) has no call before it',
        'request 0: input[1] (function_call a) has no output',
      ],
    ]);
  });

  test.each<readonly [string, JsonObject, string]>([
    [
      'a changed item',
      { input: [userMessage('b'), userMessage('c')] },
      'the history was rewritten: input[0].content[0].text differs from request 0',
    ],
    ['a shorter history', { input: [] }, 'the history was rewritten: input[0] is missing, it was in request 0'],
    ['other instructions', { instructions: 'Be long.' }, 'instructions differ from request 0 of the same thread'],
    ['other tools', { tools: [{ type: 'web_search' }] }, 'tools[0] differ from request 0 of the same thread'],
    [
      'keys in another order',
      { input: [{ role: 'user', type: 'message', content: [{ type: 'input_text', text: 'a' }] }] },
      'the history was rewritten: input[0] differs from request 0',
    ],
  ])('within a thread, %s [SIM-62]', async (_name, fields, problem) => {
    const first = { input: [userMessage('a')] };

    expect(await judge([{ body: bodyWith(first) }, { body: bodyWith({ ...first, ...fields }) }])).toEqual([
      400,
      [`request 1: ${problem}`],
    ]);
  });

  test('the wrong credentials, without showing them [SIM-63]', async () => {
    const headers = { authorization: 'Bearer secret-value' };

    expect(await judge([{ body: bodyWith(), options: { headers } }], { expectAuthorization: 'Bearer right' })).toEqual([
      400,
      ['request 0: the header authorization is not the expected one'],
    ]);
    expect(await judge([{ body: bodyWith() }], { expectAuthorization: 'Bearer right' })).toEqual([
      400,
      ['request 0: the header authorization is missing'],
    ]);
  });

  test('an unknown content encoding, with status 415 [SIM-64]', async () => {
    expect(await judge([{ body: bodyWith(), options: { headers: { 'content-encoding': 'compress' } } }])).toEqual([
      415,
      ['request 0: the content-encoding compress is not supported'],
    ]);
  });

  test('a body longer than declared [SIM-65]', async () => {
    const sim = await Simulator.start({ steps: [] });
    const socket = connect(sim.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.write('POST /v1/nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}surplus bytes\r\n\r\n');
    await closed;
    await sim.stop();

    expect(sim.violations).toEqual([
      'bytes that are no HTTP request (HPE_INVALID_METHOD): a body longer than declared?',
    ]);
  });
});

describe('exceptions to the invariants', () => {
  test('a lenient simulator reports and still answers from the script [SIM-66]', async () => {
    expect(await judge([withInput(call('a'))], { lenient: true })).toEqual([
      200,
      ['request 0: input[0] (function_call a) has no output'],
    ]);
  });

  test('a rewrite that is allowed starts a new history [SIM-67]', async () => {
    const sent = ['a', 'b', 'c'].map((words) => withInput(userMessage(words)));
    const [code, violations] = await judge(sent, { allowRewrite: (_previous, current) => current.index === 1 });

    expect([code, violations]).toEqual([
      400,
      ['request 2: the history was rewritten: input[0].content[0].text differs from request 1'],
    ]);
  });

  test('threads are told apart by key, else by the session header [SIM-68]', async () => {
    const { prompt_cache_key: _unused, ...keyless } = bodyWith({ input: [userMessage('x')] });
    const sent: readonly Sent[] = [
      withInput(userMessage('a')),
      { body: bodyWith({ prompt_cache_key: 'second', input: [userMessage('b')] }) },
      { body: keyless, options: { headers: { session_id: 'third' } } },
      { body: { ...keyless, input: [userMessage('y')] }, options: { headers: { 'session-id': 'third' } } },
    ];

    expect(await judge(sent)).toEqual([
      400,
      ['request 3: the history was rewritten: input[0].content[0].text differs from request 2'],
    ]);
  });
});
