import { type ModelRequest, promptItems } from '@quire/core';
import type { ModelEvent } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { bodyEvents, closed, connect, type Handler, REQUEST, run, runToFailure, serve, sse } from './support.ts';

const chat = (url: string) => connect(url, { with: { wireApi: 'chat' } });
const chunk = (delta: object, finishReason: string | null = null) => ({
  choices: [{ delta, finish_reason: finishReason }],
});
const END: ModelEvent = { kind: 'response-end', responseId: '', usage: undefined, endTurn: undefined };
const text = (value: string): ModelEvent[] => [
  { kind: 'item-start', item: { type: 'message', role: 'assistant', content: [] } },
  { kind: 'text-delta', itemId: undefined, delta: value },
];
const textEnd = (value: string): ModelEvent => ({
  kind: 'item-end',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: value }] },
});
const call = (callId: string, name: string, args: string): ModelEvent => ({
  kind: 'item-end',
  item: { type: 'function_call', call_id: callId, name, arguments: args },
});

/** Sends the chunks and whatever else, and ends the body only if told to. */
const streamed =
  (chunks: readonly object[], options: { readonly tail?: string; readonly end?: boolean } = {}): Handler =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sse(...chunks) + (options.tail ?? ''));
    if (options.end ?? true) response.end();
  };

const REQUEST_WITH_TOOLS: ModelRequest = {
  ...REQUEST,
  parallelToolCalls: true,
  input: promptItems([
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'rules' }] },
    {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'look' },
        { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
      ],
    },
    { type: 'reasoning', summary: [] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'on it' }] },
    { type: 'function_call', call_id: 'c1', name: 'shell', arguments: '{"a":1}' },
    { type: 'custom_tool_call', call_id: 'c2', name: 'patch', input: 'free "text"' },
    { type: 'function_call_output', call_id: 'c1', output: 'one' },
    { type: 'custom_tool_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'two' }] },
  ]),
  tools: [
    { type: 'function', name: 'shell', description: 'runs', strict: true, parameters: { type: 'object' } },
    { type: 'custom', name: 'patch', description: 'patches', format: { type: 'text' } },
    { type: 'web_search', external_web_access: true },
  ],
};

describe('a chat completions provider', () => {
  test('gets the conversation as messages, calls joined to their assistant message [CHAT-01]', async () => {
    await using server = await serve(streamed([chunk({ content: 'ok' }, 'stop')]));
    using client = chat(`${server.url}/v1`);
    await run(client.turn, REQUEST_WITH_TOOLS);
    expect(server.requests[0]?.path).toBe('/v1/chat/completions');
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      model: 'test-model',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'system', content: 'rules' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
          ],
        },
        {
          role: 'assistant',
          content: 'on it',
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'shell', arguments: '{"a":1}' } },
            { id: 'c2', type: 'function', function: { name: 'patch', arguments: '{"input":"free \\"text\\""}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'one' },
        { role: 'tool', tool_call_id: 'c2', content: 'two' },
      ],
      stream: true,
      tools: [
        {
          type: 'function',
          function: { name: 'shell', description: 'runs', strict: true, parameters: { type: 'object' } },
        },
        {
          type: 'function',
          function: {
            name: 'patch',
            description: 'patches',
            strict: false,
            parameters: {
              type: 'object',
              properties: { input: { type: 'string' } },
              required: ['input'],
              additionalProperties: false,
            },
          },
        },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: true,
    });
  });

  test('can not be asked for an output schema [CHAT-02]', async () => {
    await using server = await serve(streamed([]));
    using client = chat(server.url);
    const { error } = await runToFailure(client.turn, { ...REQUEST, outputSchema: { type: 'object' } });
    expect([error.code, server.requests.length]).toEqual(['configuration', 0]);
  });

  test.each(['[DONE]', 'DONE', ' [DONE] '])(
    'ends with %j, once, and is not waited for any longer [CHAT-03]',
    async (done) => {
      await using server = await serve(streamed([chunk({ content: 'Hi' })], { tail: `data: ${done}\n\n`, end: false }));
      using client = chat(server.url);
      expect(bodyEvents(await run(client.turn))).toEqual([...text('Hi'), textEnd('Hi'), END]);
      await closed(server.sockets[0]);
    },
  );

  test.each([
    ['stop', [chunk({ content: 'Hi' }), chunk({}, 'stop')]],
    ['the end of the body', [chunk({ content: 'Hi' })]],
  ])('ends with %s, too, and what follows changes nothing [CHAT-04]', async (_what, chunks) => {
    await using server = await serve(streamed([...chunks, ...(chunks.length > 1 ? [chunk({}, 'stop')] : [])]));
    using client = chat(server.url);
    expect(bodyEvents(await run(client.turn))).toEqual([...text('Hi'), textEnd('Hi'), END]);
  });

  test('may keep the connection open after its last finish reason [CHAT-05]', async () => {
    await using server = await serve(
      streamed(
        [chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }, 'tool_calls')],
        {
          end: false,
        },
      ),
    );
    using client = chat(server.url);
    expect(bodyEvents(await run(client.turn))).toEqual([call('a', 'f', '{}'), END]);
  });

  test('sends calls in fragments: later ones lack the id, or the index, and names come once [CHAT-06]', async () => {
    await using server = await serve(
      streamed([
        chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'first', arguments: '{"x"' } }] }),
        chunk({ tool_calls: [{ index: 1, id: 'b', function: { name: 'second', arguments: '' } }] }),
        chunk({ tool_calls: [{ index: 0, function: { name: 'ignored', arguments: ':1}' } }] }),
        chunk({
          tool_calls: [
            { index: 1, function: { arguments: '{}' } },
            { index: 2, function: { arguments: '{}' } },
          ],
        }),
        chunk({ tool_calls: [{ index: 3, function: { name: 'without-id', arguments: '{}' } }] }),
        chunk({}, 'tool_calls'),
      ]),
    );
    using client = chat(server.url);
    expect(bodyEvents(await run(client.turn))).toEqual([
      call('a', 'first', '{"x":1}'),
      call('b', 'second', '{}'),
      call('tool-call-3', 'without-id', '{}'),
      END,
    ]);
  });

  test('without indexes continues the last call [CHAT-07]', async () => {
    await using server = await serve(
      streamed([
        chunk({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{' } }] }),
        chunk({ tool_calls: [{ function: { arguments: '}' } }] }),
        chunk({}, 'tool_calls'),
      ]),
    );
    using client = chat(server.url);
    expect(bodyEvents(await run(client.turn))).toEqual([call('a', 'f', '{}'), END]);
  });

  test('gives calls of free-text tools back as such [CHAT-08]', async () => {
    const calls = ['{"input":"line\\n"}', 'not json'].map((args, index) => ({
      index,
      id: `c${index}`,
      function: { name: 'patch', arguments: args },
    }));
    await using server = await serve(streamed([chunk({ tool_calls: calls }, 'tool_calls')]));
    using client = chat(server.url);
    expect(bodyEvents(await run(client.turn, REQUEST_WITH_TOOLS))).toEqual([
      { kind: 'item-end', item: { type: 'custom_tool_call', call_id: 'c0', name: 'patch', input: 'line\n' } },
      { kind: 'item-end', item: { type: 'custom_tool_call', call_id: 'c1', name: 'patch', input: 'not json' } },
      END,
    ]);
  });

  test('sends reasoning and text in several shapes [CHAT-09]', async () => {
    await using server = await serve(
      streamed([
        chunk({ reasoning: 'a' }),
        chunk({ reasoning: { text: 'b' } }),
        chunk({ reasoning: { content: 'c' } }),
        chunk({ content: [{ text: 'x' }, { text: 'y' }] }),
        chunk({}, 'stop'),
      ]),
    );
    using client = chat(server.url);
    const delta = (value: string): ModelEvent => ({
      kind: 'reasoning-content-delta',
      itemId: undefined,
      delta: value,
      contentIndex: 0,
    });
    expect(bodyEvents(await run(client.turn))).toEqual([
      { kind: 'item-start', item: { type: 'reasoning', summary: [], content: null } },
      ...['a', 'b', 'c'].map(delta),
      {
        kind: 'item-end',
        item: { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'abc' }] },
      },
      ...text('x'),
      { kind: 'text-delta', itemId: undefined, delta: 'y' },
      textEnd('xy'),
      END,
    ]);
  });

  test('that stops for length is a full context window; an error instead of an answer is no empty answer [CHAT-10]', async () => {
    await using server = await serve((response, request, index) =>
      streamed(index === 0 ? [chunk({ content: 'x' }, 'length')] : [{ error: { message: 'no such model' } }])(
        response,
        request,
        index,
      ),
    );
    using client = chat(server.url);
    expect((await runToFailure(client.turn)).error).toMatchObject({
      code: 'context-window-exceeded',
      retryable: false,
    });
    const { error } = await runToFailure(client.turn);
    expect([error.code, String(error.cause)]).toEqual(['stream-truncated', 'Error: no such model']);
  });

  test('is not asked over WebSocket, and what can not be understood is skipped [CHAT-11]', async () => {
    const problems: unknown[] = [];
    await using server = await serve(streamed([{ ping: 1 }], { tail: 'data: \n\ndata: nonsense\n\ndata: [DONE]\n\n' }));
    using client = connect(server.url, {
      webSocket: 'when-supported',
      with: { wireApi: 'chat', supportsWebsockets: true },
      observer: { streamProblem: ({ kind }) => problems.push(kind) },
    });
    expect(bodyEvents(await run(client.turn))).toEqual([END]);
    expect(problems).toEqual(['no-type', 'not-json']);
  });
});
