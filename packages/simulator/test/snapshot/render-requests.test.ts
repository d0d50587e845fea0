import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  type RenderedRequest,
  type RenderRequestsOptions,
  renderRequests,
  respond,
  Simulator,
} from '../../src/index.ts';
import { bodyWith, post, userMessage } from '../support/client.ts';
import { call, ENVIRONMENT, IMAGE, message, output, PERMISSIONS, PROJECT } from '../support/items.ts';

const UUID = '019a9f3e-7c11-7abc-8def-0123456789ab';
const TOOLS = [{ type: 'function', name: 'look' }, { type: 'web_search' }];

function requestOf(input: readonly JsonObject[], fields: JsonObject = {}): RenderedRequest {
  const body = bodyWith({ input, tools: TOOLS, ...fields });
  return { index: 0, transport: 'http', path: '/v1/responses', body, input };
}

/** The lines of the items alone. */
function itemLines(input: readonly JsonObject[], options: RenderRequestsOptions = {}): readonly string[] {
  const rendered = renderRequests([requestOf(input, { instructions: 'x' })], options).split('\n');
  return rendered.slice(rendered.findIndex((line) => line.startsWith('tools:')) + 1);
}

describe('what the model would see', () => {
  test('is told request by request, with label, transport, model, instructions, tools and items [SIM-170]', () => {
    const input = [
      message('developer', PERMISSIONS, 'Be kind.'),
      message('user', PROJECT, ENVIRONMENT),
      userMessage('Look at it.'),
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'abc' },
      call('call_77'),
      output('call_77', [{ type: 'input_text', text: 'Wall time: 0.12 seconds\nfound' }, IMAGE]),
      { ...message('assistant', 'A dot.'), phase: 'final_answer', id: 'msg_1' },
      { type: 'compaction', encrypted_content: 'abc' },
      { type: 'brand_new', id: 'x_1', size: 3 },
    ];
    const frame = { ...requestOf(input.slice(0, 1), { generate: false }), index: 2, transport: 'websocket' } as const;

    expect(renderRequests([requestOf(input), frame], { labels: ['first turn'] })).toBe(
      `## first turn
http, model test-model
instructions: text 1, "Be brief."
tools: look, web_search
0 message developer: <permissions instructions> Be kind.
1 message user: # AGENTS.md instructions <environment_context>
2 message user: Look at it.
3 reasoning:
    - Hm.
    - (encrypted)
4 function_call look call 1: {"path":"a.png"}
5 function_call_output call 1:
    - Wall time: <duration>
      found
    - image <image/png, 8 bytes>
6 message assistant final_answer: A dot.
7 compaction: (encrypted)
8 brand_new: {"size":3}

## prewarm 2
websocket, model test-model
instructions: text 1, "Be brief."
tools: look, web_search
0 message developer: <permissions instructions> Be kind.`,
    );
  });

  test('is the same text for requests of two runs that differ in ids, times and places [SIM-171]', () => {
    const run = (index: number): string => {
      const id = UUID.replace('019a', `019${index}`);
      const words = [
        `thread ${id} again ${id} and ${UUID}`,
        `on 2026-0${index}-02 at 2026-01-0${index}T10:11:1${index}.5Z in Europe/${['', 'Berlin', 'Paris'][index]}`,
        `/tmp/quire-${index}x/src/a.ts and /var/folders/ab/c${index}/T/quire-9, /data/${index}/project/b.ts`,
        `Wall time: ${index}.25 seconds, duration_ms ${index}, "duration_seconds":0.${index}`,
        `commit ${String(index).repeat(40)} of v1.${index}.3 at 127.0.0.1:${index}000`,
      ];
      return renderRequests(
        [requestOf([call(`call_${index}`), output(`call_${index}`, words.join('\n')), message('user', ENVIRONMENT)])],
        { replace: { [`/data/${index}/project`]: '<project>' }, maxTextLength: 1000, fragments: 'text' },
      );
    };

    expect(run(/* index */ 1)).toBe(run(/* index */ 2));
    expect(run(/* index */ 1)).toContain(
      [
        'thread <uuid 1> again <uuid 1> and <uuid 2>',
        'on <date> at <time> in <zone>',
        '<temporary 1>/src/a.ts and <temporary 2>, <project>/b.ts',
        'Wall time: <duration>, duration_ms <duration>, "duration_seconds":<duration>',
        'commit <hash 1> of <version> at 127.0.0.1:<port>',
      ]
        .map((line, index) => (index === 0 ? `    - ${line}` : `      ${line}`))
        .join('\n'),
    );
    expect(run(/* index */ 1)).toContain('<timezone><zone></timezone>');
  });

  test('leaves text alone that only looks volatile [SIM-171]', () => {
    const words = 'wait 10 seconds, see 1.5 or 10.0.0.1, a deadbeef, and/or half-life';

    expect(itemLines([userMessage(words)])).toEqual([`0 message user: ${words}`]);
  });

  test('cuts long texts where it can be seen, between characters [SIM-172]', () => {
    expect(itemLines([userMessage('🐢'.repeat(30))], { maxTextLength: 4 })).toEqual([
      '0 message user: 🐢🐢[… 26 characters …]🐢🐢',
    ]);
    expect(itemLines([userMessage('abcd')], { maxTextLength: 4 })).toEqual(['0 message user: abcd']);
  });

  test('is told whole in full mode [SIM-173]', () => {
    const input = [
      message('developer', PERMISSIONS),
      { ...userMessage(`${'x'.repeat(300)} ${UUID}`), id: 'msg_1' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc' },
      call('call_77'),
      output('call_77', [IMAGE]),
    ];

    expect(renderRequests([requestOf(input, { instructions: 'One.\nTwo.' })], { mode: 'full' })).toBe(
      `## request 0
http, model test-model
instructions:
  One.
  Two.
tools: look, web_search
0 message developer:
    - <permissions instructions>
      Ask first.
      </permissions instructions>
1 message user id msg_1:
    - ${'x'.repeat(300)} ${UUID}
2 reasoning id rs_1: (encrypted) abc
3 function_call look call_77: {"path":"a.png"}
4 function_call_output call_77: image data:image/png;base64,iVBORw0KGgo=`,
    );
  });

  test('can fold what a request shares with the one before [SIM-174]', () => {
    const a = userMessage('a');
    const b = userMessage('b');
    const rendered = renderRequests([requestOf([a, b]), requestOf([a, userMessage('c')]), requestOf([a, b, b])], {
      sharedItems: 'fold',
    });

    expect(rendered.split('\n').filter((line) => /^[\d.]/.test(line))).toEqual([
      '0 message user: a',
      '1 message user: b',
      '. 1 item(s) as before',
      '1 message user: c',
      '. 1 item(s) as before',
      '1 message user: b',
      '2 message user: b',
    ]);
  });

  test('is told of recorded requests as they are [SIM-170]', async () => {
    await using sim = await Simulator.start({ steps: [respond()] });
    await post(sim, bodyWith());

    expect(renderRequests(sim.requests)).toBe(
      '## request 0\nhttp, model test-model\ninstructions: text 1, "Be brief."\ntools: none\n0 message user: hello',
    );
  });

  test('of odd bodies is told without a failure [SIM-170]', () => {
    const odd = [{}, { type: 'message', role: 7, content: [null, 'x', { type: 'input_text' }] }, { type: 'reasoning' }];
    const request = { ...requestOf(odd), body: { tools: [{}, 3] }, path: '/v1/responses/compact' };

    expect(renderRequests([request as RenderedRequest])).toBe(
      `## compaction 0
http, model (none)
instructions: none
tools: (no name)
0 item without type: {}
1 message:
    - null
    - "x"
    - {"type":"input_text"}
2 reasoning`,
    );
  });
});
