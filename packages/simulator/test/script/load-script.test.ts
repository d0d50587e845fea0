import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import {
  acceptUpgrade,
  binaryFrame,
  blackHole,
  closeAfterEvents,
  compacted,
  compaction,
  delay,
  errorEvent,
  loadScript,
  modelsEtag,
  pause,
  ping,
  rateLimits,
  reset,
  respond,
  Simulator,
  type Step,
  type StreamAnswer,
  serverModel,
  stall,
  status,
  turnState,
} from '../../src/index.ts';
import { bodyWith, itemsOf, post, typesOf, userMessage } from '../support/client.ts';

describe('a script in JSON', () => {
  test('plays as the same script in TypeScript would [SIM-70]', async () => {
    const script = loadScript(
      JSON.stringify({
        etag: '"x"',
        models: [{ slug: 'm' }],
        steps: [
          { respond: [{ text: 'other thread' }], when: { inputContains: 'magic' } },
          { status: 429, headers: { 'retry-after': '1' }, body: { error: { type: 'x' } } },
          {
            respond: [
              { reasoning: 'hm', encrypted: 'e' },
              { text: 'hi', chunks: 2, phase: 'commentary' },
              { functionCall: { callId: 'c1', name: 'shell_command', arguments: { command: 'ls' } } },
              { customToolCall: { callId: 'c2', name: 'apply_patch', input: '*** Begin Patch' } },
              { webSearch: 'q' },
              { item: { type: 'odd' } },
              { event: { type: 'x' } },
              { comment: 'c' },
              { malformedEvent: '{' },
              { rawBytes: ': raw\n\n' },
              { completed: { usage: { inputTokens: 5 }, endTurn: true } },
            ],
            headers: { 'openai-model': 'm' },
          },
          { respondExactly: [{ failed: { code: 'server_error' } }], repeat: 2, chunkBytes: 9, delayMs: 1 },
          { respond: [{ incomplete: 'content_filter' }], missingCompletion: true },
          { respond: [{ text: 'hello' }], stop: { how: 'end', afterEvents: 1 } },
        ],
      }),
    );
    await using sim = await Simulator.start(script);

    const answers = [];
    for (let count = 0; count < 6; count += 1) answers.push(await post(sim, bodyWith()));
    const magic = await post(sim, bodyWith({ prompt_cache_key: 'k', input: [userMessage('some magic words')] }));

    expect(answers.map((answer) => answer.status)).toEqual([429, 200, 200, 200, 200, 200]);
    expect(answers.map((answer) => typesOf(answer).at(-1))).toEqual([
      undefined,
      'response.completed',
      'response.failed',
      'response.failed',
      'response.created',
      'response.created',
    ]);
    expect(answers[1] === undefined ? [] : itemsOf(answers[1]).map((item) => item['type'])).toEqual([
      'reasoning',
      'message',
      'function_call',
      'custom_tool_call',
      'web_search_call',
      'odd',
    ]);
    expect(itemsOf(magic)[0]?.['content']).toEqual([{ type: 'output_text', text: 'other thread' }]);
    expect([script.models, script.etag]).toEqual([[{ slug: 'm' }], '"x"']);
  });

  test('describes what other transports need as TypeScript does [SIM-73]', () => {
    const loaded = loadScript({
      steps: [
        { respond: [], stop: { how: 'black-hole' } },
        { respond: [], stop: { how: 'end', afterEvents: 1, close: { code: 1008, reason: 'policy' } } },
        { respond: [], chatDone: null },
        { blackHole: true },
      ],
      handshakes: [
        { accept: true },
        { accept: { headers: { a: 'b' }, answerPings: false, pingEveryMs: 5, deflate: 'compress' }, delayMs: 3 },
        { status: 426, repeat: 2 },
        { stall: true },
      ],
      prewarms: [{ status: 503 }],
      compactions: [{ compacted: [{ type: 'message' }] }],
      usage: { plan_type: 'pro' },
      transports: { websocket: { status: 500 }, http: { reset: true }, chat: { status: 404 } },
    });
    const withoutParts = ({ parts: _parts, ...rest }: StreamAnswer): unknown => rest;
    const steps = loaded.steps.map((step) => ('parts' in step ? withoutParts(step) : step));

    const behind = { afterEvents: Number.POSITIVE_INFINITY };
    expect({ ...loaded, steps }).toEqual({
      steps: [
        { ...(withoutParts(respond()) as object), delivery: { stop: { manner: 'black-hole', position: behind } } },
        withoutParts(closeAfterEvents(/* eventCount */ 1, { code: 1008, reason: 'policy' }, respond()) as StreamAnswer),
        withoutParts(respond({ chatDone: null })),
        blackHole(),
      ],
      handshakes: [
        acceptUpgrade(),
        delay(
          /* delayMs */ 3,
          acceptUpgrade({ headers: { a: 'b' }, answerPings: false, pingEveryMs: 5, deflate: 'compress' }),
        ),
        status(/* code */ 426),
        status(/* code */ 426),
        stall(),
      ],
      prewarms: [status(/* code */ 503)],
      compactions: [compacted({ type: 'message' })],
      usage: status(/* code */ 200, { body: { plan_type: 'pro' } }),
      transports: { websocket: status(/* code */ 500), http: reset(), chat: status(/* code */ 404) },
    });
  });

  test('plays each output of the WebSocket as TypeScript does [SIM-73]', async () => {
    const script = loadScript({
      steps: [
        {
          respond: [
            { compaction: 'c' },
            { binaryFrame: 'b' },
            { ping: 'p' },
            { pauseMs: 1 },
            { turnState: 't' },
            { serverModel: 'm' },
            { modelsEtag: '"e"' },
            {
              rateLimits: {
                primary: { usedPercent: 1.5, windowMinutes: 300, resetAt: 9 },
                credits: { hasCredits: true, unlimited: false, balance: '1' },
                limitId: 'codex',
                planType: 'pro',
              },
            },
            { errorEvent: { status: 500, error: { code: 'x' }, headers: { a: 1 } } },
          ],
        },
      ],
    });
    const limits = {
      primary: { usedPercent: 1.5, windowMinutes: 300, resetAt: 9 },
      credits: { hasCredits: true, unlimited: false, balance: '1' },
      limitId: 'codex',
      planType: 'pro',
    };
    const same = respond(
      compaction('c'),
      binaryFrame('b'),
      ping('p'),
      pause(/* delayMs */ 1),
      turnState('t'),
      serverModel('m'),
      modelsEtag('"e"'),
      rateLimits(limits),
      errorEvent({ code: 'x' }, { status: 500, headers: { a: 1 } }),
    );
    const partsOf = (step: Step | undefined): unknown =>
      step !== undefined && 'parts' in step
        ? [...step.parts({ responseId: 'r', nextItemId: (prefix) => prefix })]
        : step;

    expect(partsOf(script.steps[0])).toEqual(partsOf(same));
  });

  test.each<readonly [string, unknown, string]>([
    ['text that is no JSON', '{', 'the script is not JSON'],
    ['no object', [], 'the script must be an object'],
    ['no steps', {}, 'the script.steps must be an array'],
    ['an unknown field at the top', { steps: [], step: 1 }, 'the script has the unknown field step'],
    [
      'a step of no kind',
      { steps: [{}] },
      'steps[0] must have exactly one of respond, respondExactly, status, reset, refuse, stall',
    ],
    ['a step of two kinds', { steps: [{ reset: true, stall: true }] }, 'steps[0] must have exactly one of'],
    ['an unknown field of a step', { steps: [{ reset: true, late: 1 }] }, 'steps[0] has the unknown field late'],
    [
      'an output of no kind',
      { steps: [{ respond: [{ txt: 'a' }] }] },
      'steps[0].respond[0] must have exactly one of text,',
    ],
    [
      'an unknown field of an output',
      { steps: [{ respond: [{ text: 'a', chunk: 2 }] }] },
      'steps[0].respond[0] has the unknown field chunk',
    ],
    [
      'a wrong number',
      { steps: [{ respond: [{ text: 'a', chunks: 0 }] }] },
      'steps[0].respond[0].chunks must be a whole number, 1 or more',
    ],
    [
      'a call without name',
      { steps: [{ respond: [{ functionCall: { callId: 'c' } }] }] },
      'steps[0].respond[0].functionCall.name must be a string',
    ],
    ['a status out of range', { steps: [{ status: 99 }] }, 'steps[0].status must be a status code from 200 to 599'],
    [
      'headers that are no strings',
      { steps: [{ status: 500, headers: { a: 1 } }] },
      'steps[0].headers must be an object of strings',
    ],
    [
      'an unknown way to stop',
      { steps: [{ respond: [], stop: { how: 'fade', afterBytes: 1 } }] },
      'steps[0].stop.how must be one of end, destroy, reset, stall',
    ],
    ['a false flag', { steps: [{ refuse: false }] }, 'steps[0].refuse must be true'],
    ['a condition of no kind', { steps: [{ respond: [], when: {} }] }, 'steps[0].when.inputContains must be a string'],
    [
      'a handshake of no kind',
      { steps: [], handshakes: [{}] },
      'handshakes[0] must have exactly one of accept, status',
    ],
    [
      'an unknown transport',
      { steps: [], transports: { grpc: {} } },
      'the script.transports has the unknown field grpc',
    ],
    [
      'a transport used no times',
      { steps: [], transports: { http: { reset: true, repeat: 0 } } },
      'the script.transports.http.repeat must be a whole number, 1 or more',
    ],
    ['a model that is no object', { steps: [], models: ['a'] }, 'models[0] must be an object'],
  ])('with %s is refused with the place of the mistake [SIM-71]', (_name, json, message) => {
    expect(() => loadScript(json)).toThrow(
      expect.objectContaining({ code: 'invalid-script', message: expect.stringContaining(message) }),
    );
  });

  test('the examples of the guide load [SIM-72]', async () => {
    const guide = await readFile(new URL('../../../../docs/simulator.md', import.meta.url), 'utf8');
    const examples = [...guide.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(loadScript(example).steps.length).toBeGreaterThan(0);
  });
});
