import { describe, expect, test } from 'vitest';
import {
  comment,
  completed,
  customToolCall,
  DEFAULT_USAGE,
  event,
  everyEvent,
  failed,
  functionCall,
  incomplete,
  rawBytes,
  rawItem,
  reasoning,
  respond,
  respondExactly,
  Simulator,
  type Step,
  text,
  webSearch,
} from '../../src/index.ts';
import { bodyWith, type ClientAnswer, eventsOf, itemsOf, post, typesOf } from '../support/client.ts';

async function answerOf(step: Step): Promise<ClientAnswer> {
  await using sim = await Simulator.start({ steps: [step] });
  return await post(sim, bodyWith());
}

const USAGE = {
  input_tokens: DEFAULT_USAGE.inputTokens,
  input_tokens_details: { cached_tokens: DEFAULT_USAGE.cachedInputTokens },
  output_tokens: DEFAULT_USAGE.outputTokens,
  output_tokens_details: { reasoning_tokens: DEFAULT_USAGE.reasoningOutputTokens },
  total_tokens: DEFAULT_USAGE.inputTokens + DEFAULT_USAGE.outputTokens,
};

describe('a scripted response', () => {
  test('comes in every event the service sends when wanted [SIM-06]', async () => {
    const answer = await answerOf(everyEvent(respond(text('Hello'), functionCall('c1', 'shell', {}), { usage: null })));
    const response = { object: 'response', created_at: 0, model: 'simulator', error: null, id: 'resp_0' };
    const message = {
      type: 'message',
      role: 'assistant',
      id: 'msg_0_0',
      content: [{ type: 'output_text', text: 'Hello' }],
    };
    const call = { type: 'function_call', id: 'fc_0_1', call_id: 'c1', name: 'shell', arguments: '{}' };
    const inMessage = { item_id: 'msg_0_0', output_index: 0, content_index: 0 };
    const inCall = { item_id: 'fc_0_1', output_index: 1 };
    const part = { type: 'output_text', text: 'Hello', annotations: [] };

    expect(eventsOf(answer)).toEqual(
      [
        { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
        { type: 'response.output_item.added', output_index: 0, item: { ...message, content: [] } },
        { type: 'response.content_part.added', ...inMessage, part: { ...part, text: '' } },
        { type: 'response.output_text.delta', ...inMessage, delta: 'Hello' },
        { type: 'response.output_text.done', ...inMessage, text: 'Hello', logprobs: [] },
        { type: 'response.content_part.done', ...inMessage, part },
        { type: 'response.output_item.done', output_index: 0, item: message },
        { type: 'response.output_item.added', output_index: 1, item: { ...call, arguments: '' } },
        { type: 'response.function_call_arguments.delta', ...inCall, delta: '{}' },
        { type: 'response.function_call_arguments.done', ...inCall, name: 'shell', arguments: '{}' },
        { type: 'response.output_item.done', output_index: 1, item: call },
        {
          type: 'response.completed',
          response: { ...response, status: 'completed', output: [message, call], usage: null },
        },
      ].map((fields, index) => ({ ...fields, sequence_number: index })),
    );
  });

  test('tells how a search of the web goes on when wanted [SIM-06]', async () => {
    const answer = await answerOf(everyEvent(respond(webSearch('weather'))));
    const place = { item_id: 'ws_0_0', output_index: 0 };
    const item = { type: 'web_search_call', id: 'ws_0_0' };
    const done = { ...item, status: 'completed', action: { type: 'search', query: 'weather' } };

    expect(eventsOf(answer).slice(1, -1)).toEqual(
      [
        { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress' } },
        { type: 'response.web_search_call.in_progress', ...place },
        { type: 'response.web_search_call.searching', ...place },
        { type: 'response.web_search_call.completed', ...place },
        { type: 'response.output_item.done', output_index: 0, item: done },
      ].map((fields, index) => ({ ...fields, sequence_number: index + 1 })),
    );
  });

  test('is created, adds, streams and finishes its message, and completes with usage [SIM-01]', async () => {
    const answer = await answerOf(respond(text('Hello', { chunks: 2, phase: 'final_answer' })));

    expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
      status: 200,
      type: 'text/event-stream',
    });
    const item = { type: 'message', role: 'assistant', id: 'msg_0_0', phase: 'final_answer' };
    const delta = { type: 'response.output_text.delta', item_id: 'msg_0_0', output_index: 0, content_index: 0 };
    expect(eventsOf(answer)).toEqual([
      { type: 'response.created', response: { id: 'resp_0' } },
      { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
      { ...delta, delta: 'He' },
      { ...delta, delta: 'llo' },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { ...item, content: [{ type: 'output_text', text: 'Hello' }] },
      },
      { type: 'response.completed', response: { id: 'resp_0', usage: USAGE } },
    ]);
  });

  test('carries every kind of item, each with its own id and place [SIM-01]', async () => {
    const answer = await answerOf(
      respond(
        reasoning('thinking', { encrypted: 'opaque' }),
        functionCall('call_1', 'shell_command', { command: 'ls' }),
        customToolCall('call_2', 'apply_patch', '*** Begin Patch', { chunks: 3 }),
        webSearch('weather'),
        rawItem({ type: 'mystery', id: 'x_1' }),
      ),
    );

    expect(itemsOf(answer)).toEqual([
      {
        type: 'reasoning',
        id: 'rs_0_0',
        summary: [{ type: 'summary_text', text: 'thinking' }],
        encrypted_content: 'opaque',
      },
      { type: 'function_call', id: 'fc_0_1', call_id: 'call_1', name: 'shell_command', arguments: '{"command":"ls"}' },
      {
        type: 'custom_tool_call',
        id: 'ctc_0_2',
        status: 'completed',
        call_id: 'call_2',
        name: 'apply_patch',
        input: '*** Begin Patch',
      },
      { type: 'web_search_call', id: 'ws_0_3', status: 'completed', action: { type: 'search', query: 'weather' } },
      { type: 'mystery', id: 'x_1' },
    ]);
    const places = eventsOf(answer).flatMap((entry) =>
      typeof entry !== 'string' && entry['type'] === 'response.output_item.done' ? [entry['output_index']] : [],
    );
    expect(places).toEqual([0, 1, 2, 3, 4]);
  });

  test('ends as its script says: completed, failed or incomplete, and only once [SIM-02]', async () => {
    const ends = [
      respond(completed({ usage: null, endTurn: false })),
      respond(failed({ code: 'invalid_prompt', message: 'no' })),
      respond(incomplete('max_output_tokens')),
    ];
    const last = await Promise.all(ends.map(async (step) => eventsOf(await answerOf(step)).slice(1)));

    expect(last).toEqual([
      [{ type: 'response.completed', response: { id: 'resp_0', usage: null, end_turn: false } }],
      [
        {
          type: 'response.failed',
          response: { id: 'resp_0', status: 'failed', error: { code: 'invalid_prompt', message: 'no' } },
        },
      ],
      [
        {
          type: 'response.incomplete',
          response: { id: 'resp_0', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
        },
      ],
    ]);
  });

  test('sends headers, events and bytes as given [SIM-03]', async () => {
    const headers = { 'x-codex-turn-state': 'abc', 'openai-model': 'other', 'x-codex-primary-used-percent': '12.5' };
    const answer = await answerOf(
      respondExactly(event({ type: 'x', n: 1 }), comment('alive'), rawBytes('data: raw\n\n'), { headers }),
    );

    expect(answer.headers).toMatchObject(headers);
    expect(answer.body.toString()).toBe('event: x\ndata: {"type":"x","n":1}\n\n: alive\n\ndata: raw\n\n');
  });

  test.each(['\n', '\r', '\r\n'] as const)('ends its lines with %j [SIM-03]', async (lineEnding) => {
    const answer = await answerOf(respondExactly(event({ type: 'x' }), { lineEnding }));

    expect(answer.body.toString()).toBe(`event: x${lineEnding}data: {"type":"x"}${lineEnding}${lineEnding}`);
  });

  test('never cuts a character in two when it divides a text [SIM-01]', async () => {
    const content = 'a😀b😀';
    const answer = await answerOf(respond(text(content, { chunks: 5 })));
    const deltas = eventsOf(answer).flatMap((entry) =>
      typeof entry !== 'string' && typeof entry['delta'] === 'string' ? [entry['delta']] : [],
    );

    expect(deltas.join('')).toBe(content);
    expect(deltas.every((delta) => delta.isWellFormed())).toBe(true);
  });

  test('steps over item ids the thread already holds [SIM-04]', async () => {
    await using sim = await Simulator.start({ steps: [respond(text('again'))] });
    const held = {
      type: 'message',
      role: 'assistant',
      id: 'msg_0_0',
      content: [{ type: 'output_text', text: 'before' }],
    };

    const answer = await post(sim, bodyWith({ input: [held] }));

    expect(itemsOf(answer).map((item) => item['id'])).toEqual(['msg_0_1']);
  });

  test('of 100,000 deltas streams whole, with fewer writes than events [SIM-05]', async () => {
    const count = 100_000;
    const answer = await answerOf(respond(text('x'.repeat(count), { chunks: count })));

    expect(typesOf(answer).length).toBe(count + 4);
    expect(answer.pieceSizes.length).toBeLessThan(count / 50);
  });

  test('of 4 MiB in one event arrives whole [SIM-05]', async () => {
    const content = 'é'.repeat(2 * 1024 * 1024);
    const answer = await answerOf(respond(text(content)));

    expect(itemsOf(answer)[0]?.['content']).toEqual([{ type: 'output_text', text: content }]);
  });
});
