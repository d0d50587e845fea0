import { isJsonObject, type JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  customToolCall,
  cutAfterEvents,
  failed,
  functionCall,
  incomplete,
  keepOpen,
  malformedEvent,
  missingCompletion,
  precompute,
  rawItem,
  reasoning,
  rehearse,
  respond,
  Simulator,
  type Step,
  text,
} from '../../src/index.ts';
import { type ClientAnswer, eventsOf, send } from '../support/client.ts';

const user = (words: string): JsonObject => ({ role: 'user', content: words });
const bodyOf = (fields: JsonObject = {}): JsonObject => ({
  model: 'm',
  messages: [user('hello')],
  stream: true,
  ...fields,
});
const headers = { 'session-id': 'thread-1' };

function ask(sim: Simulator, fields: JsonObject = {}): Promise<ClientAnswer> {
  return send(`${sim.url}/chat/completions`, bodyOf(fields), { headers });
}

async function answerOf(step: Step): Promise<ClientAnswer> {
  await using sim = await Simulator.start({ steps: [step] });
  return await ask(sim);
}

/** Deltas and finish reasons; whatever is no chunk with a choice as it is. */
function told(answer: ClientAnswer): readonly unknown[] {
  return eventsOf(answer).map((entry) => {
    const choices = isJsonObject(entry) ? entry['choices'] : undefined;
    const choice = Array.isArray(choices) ? choices[0] : undefined;
    if (!isJsonObject(choice)) return isJsonObject(entry) ? (entry['usage'] ?? entry) : entry;
    return choice['finish_reason'] ?? choice['delta'];
  });
}

const ROLE = { role: 'assistant', content: '' };
const USAGE = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };

describe('over chat completions', () => {
  test('text and reasoning come in deltas, then the reason, the usage and the end mark [SIM-130]', async () => {
    const answer = await answerOf(respond(reasoning('hm'), text('hello', { chunks: 2 })));

    expect(told(answer)).toEqual([
      ROLE,
      { reasoning: 'hm' },
      { content: 'he' },
      { content: 'llo' },
      'stop',
      USAGE,
      '[DONE]',
    ]);
    expect([answer.headers['content-type'], answer.body.includes('event:')]).toEqual(['text/event-stream', false]);
    expect(eventsOf(answer)[2]).toEqual({
      id: 'resp_0',
      object: 'chat.completion.chunk',
      created: 0,
      model: 'simulator',
      choices: [{ index: 0, delta: { content: 'he' }, finish_reason: null }],
    });
  });

  test('tool calls come in fragments with their place [SIM-131]', async () => {
    const answer = await answerOf(
      respond(functionCall('c1', 'shell', '{"a":1}', { chunks: 2 }), customToolCall('c2', 'apply_patch', 'x')),
    );

    expect(told(answer).slice(1, -3)).toEqual([
      { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'shell', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '":1}' } }] },
      { tool_calls: [{ index: 1, id: 'c2', type: 'function', function: { name: 'apply_patch', arguments: '' } }] },
      { tool_calls: [{ index: 1, function: { arguments: '{"input":"x"}' } }] },
    ]);
    expect(told(answer).at(-3)).toBe('tool_calls');
  });

  test('an item without deltas, and a precomputed answer, say the same [SIM-131]', async () => {
    const item = { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'whole' }] };
    const raw = await answerOf(respond(rawItem(item)));
    const made = await answerOf(precompute(respond(text('whole')), { label: 'x' }));

    expect([told(raw)[1], told(made)]).toEqual([{ content: 'whole' }, told(raw)]);
  });

  test.each<readonly [string, Step, readonly unknown[]]>([
    ['a length', respond(incomplete('max_output_tokens')), ['length', '[DONE]']],
    ['a filter', respond(incomplete('content_filter')), ['content_filter', '[DONE]']],
    ['a failure', respond(failed({ code: 'x' })), [{ error: { code: 'x' } }]],
    ['another mark', respond({ chatDone: 'DONE', usage: null }), ['stop', 'DONE']],
    ['no mark', respond({ chatDone: null, usage: null }), ['stop']],
    ['nothing', missingCompletion(respond()), []],
    ['what is no JSON', respond(malformedEvent('{'), { chatDone: null, usage: null }), ['{', 'stop']],
  ])('a stream ends with %s [SIM-132]', async (_name, step, ending) => {
    expect(told(await answerOf(step))).toEqual([ROLE, ...ending]);
  });

  test('the connection stays open behind the end mark when wanted, and faults count chunks [SIM-132]', async () => {
    await using sim = await Simulator.start({
      steps: [keepOpen(respond()), cutAfterEvents(/* eventCount */ 2, respond(text('x')))],
    });
    const leaving = new AbortController();
    const open = await send(`${sim.url}/chat/completions`, bodyOf(), {
      headers,
      signal: leaving.signal,
      onData: (piece) => piece.includes('[DONE]') && leaving.abort(),
    });
    const cut = await ask(sim);

    expect([told(open).at(-1), await sim.outcome(/* index */ 0)]).toEqual(['[DONE]', 'client-left']);
    expect([told(cut), cut.brokenBy]).toEqual([[ROLE, { content: 'x' }], 'ECONNRESET']);
  });

  test('messages are recorded as the items they stand for [SIM-133]', async () => {
    await using sim = await Simulator.start({ steps: [respond()] });
    const called = { id: 'c1', type: 'function', function: { name: 'shell', arguments: '{}' } };
    await ask(sim, {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'go' }] },
        { role: 'assistant', content: null, reasoning: 'hm', tool_calls: [called] },
        { role: 'tool', tool_call_id: 'c1', content: 'done' },
      ],
      tools: [{ type: 'function', function: { name: 'shell', parameters: {} } }],
    });
    const { transport, input, toolOutputs } = await sim.request(/* index */ 0);

    expect({ transport, input, toolOutputs }).toEqual({
      transport: 'chat',
      input: [
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Be brief.' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }] },
        { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
        { type: 'function_call', call_id: 'c1', name: 'shell', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'done' },
      ],
      toolOutputs: [{ callId: 'c1', output: 'done' }],
    });
  });

  test.each<readonly [string, readonly JsonObject[], string]>([
    ['no stream', [{ stream: false }], "request 0: the body's stream must be true"],
    ['input', [{ input: [] }], 'request 0: the body has the unknown field input'],
    [
      'a call without result',
      [{ messages: [{ role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'n', arguments: '' } }] }] }],
      'request 0: input[0] (function_call c) has no output',
    ],
    [
      'a result without call',
      [{ messages: [{ role: 'tool', tool_call_id: 'c', content: '' }] }],
      'request 0: input[0] (function_call_output c) has no call before it',
    ],
    [
      'two tools of one name',
      [{ tools: ['a', 'a'].map((name) => ({ type: 'function', function: { name } })) }],
      'request 0: the tool a is offered twice',
    ],
    [
      'a rewritten history',
      [{ messages: [user('a')] }, { messages: [user('b')] }],
      'request 1: the history was rewritten: input[0].content[0].text differs from request 0',
    ],
  ])('%s is a violation [SIM-134]', async (_name, sent, problem) => {
    const sim = await Simulator.start({ rules: rehearse(() => respond()) });
    let code = 0;
    for (const fields of sent) code = (await ask(sim, fields)).status;
    await sim.stop();

    expect([code, sim.violations]).toEqual([400, [problem]]);
  });
});
