import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  brokenCompactions,
  refuseItems,
  rehearse,
  respond,
  Simulator,
  type SimulatorOptions,
} from '../../src/index.ts';
import { bodyWith, post, send, userMessage } from '../support/client.ts';
import { call, IMAGE, message, output } from '../support/items.ts';
import { WebSocketClient } from '../support/web-socket-client.ts';

const TOOLS = [{ type: 'function', name: 'look' }];
const a = userMessage('a');
const b = userMessage('b');
const summary = userMessage('summary');
const seen = output('c', [{ type: 'input_text', text: 'here' }, IMAGE]);
const placeholder = output('c', [
  { type: 'input_text', text: 'here' },
  { type: 'input_text', text: 'no image' },
]);

type Sent = JsonObject | ((sim: Simulator) => void);

/** Sends bodies and does what stands between them; the violations. */
async function judge(sent: readonly Sent[], options: SimulatorOptions = {}): Promise<readonly string[]> {
  const sim = await Simulator.start({ rules: rehearse(() => respond()), ...options });
  try {
    for (const entry of sent) {
      if (typeof entry === 'function') entry(sim);
      else await post(sim, bodyWith({ tools: TOOLS, ...entry }));
    }
    return sim.violations;
  } finally {
    await sim.stop();
  }
}

const rewritten = ({ at: index }: { readonly at: number }): readonly string[] => [
  `request ${index}: the history was rewritten: input[0].content[0].text differs from request ${index - 1}`,
];

describe('a history that was rewritten', () => {
  test('may be, once, when the test says so for the thread or for whichever comes next [SIM-152]', async () => {
    const allow = (sim: Simulator): void => sim.allowRewriteOnce();
    const allowThread = (sim: Simulator): void => sim.allowRewriteOnce('thread-1');
    const allowOther = (sim: Simulator): void => sim.allowRewriteOnce('thread-2');

    expect(await judge([{ input: [a] }, allow, { input: [b] }, { input: [a] }])).toEqual(rewritten({ at: 2 }));
    expect(await judge([{ input: [a] }, allowThread, { input: [b] }, { input: [a] }])).toEqual(rewritten({ at: 2 }));
    expect(await judge([{ input: [a] }, allowOther, { input: [b] }])).toEqual(rewritten({ at: 1 }));
  });

  test('has the same instructions, and the same tools unless the model is another [SIM-152]', async () => {
    const allow = (sim: Simulator): void => sim.allowRewriteOnce();
    const other = { tools: [{ type: 'function', name: 'read' }], input: [b] };

    expect(await judge([{ input: [a] }, allow, { ...other, instructions: 'Be long.' }])).toEqual([
      'request 1: instructions differ from request 0 of the same thread',
      'request 1: tools[0].name differ from request 0 of the same thread',
    ]);
    expect(await judge([{ input: [a] }, { ...other, model: 'other', input: [a, b] }])).toEqual([]);
  });

  test('is one item shorter: the place says what is missing [SIM-62]', async () => {
    expect(await judge([{ input: [a, b] }, { input: [a] }])).toEqual([
      'request 1: the history was rewritten: input[1] is missing, it was in request 0',
    ]);
  });
});

describe('a local compaction', () => {
  const compacting = { input: [a, b, userMessage('Sum up.')], tools: [] };

  test('has no tools, may drop the oldest when it is tried again, and starts another history [SIM-153]', async () => {
    const sent = [
      { input: [a] },
      compacting,
      { ...compacting, input: [b, userMessage('Sum up.')] },
      { input: [summary] },
    ];

    expect(await judge(sent, { expectLocalCompactions: true })).toEqual([]);
    expect(await judge([...sent, { input: [b] }], { expectLocalCompactions: true })).toEqual(rewritten({ at: 4 }));
  });

  test('holds the history it sums up, and the tools come back [SIM-153]', async () => {
    const sent = [{ input: [a] }, { ...compacting, input: [b] }, { input: [a] }, compacting];

    expect(await judge(sent, { expectLocalCompactions: true })).toEqual(rewritten({ at: 1 }));
    expect(
      await judge([{ input: [a] }, compacting, { input: [summary], tools: [{ type: 'function', name: 'read' }] }], {
        expectLocalCompactions: true,
      }),
    ).toEqual(['request 2: tools[0].name differ from request 0 of the same thread']);
  });

  test('is a violation where none is expected [SIM-153]', async () => {
    expect(await judge([{ input: [a] }, compacting])).toEqual([
      'request 1: tools[0] differ from request 0 of the same thread',
    ]);
  });
});

describe('a compaction that failed', () => {
  const triggered = { input: [a, { type: 'compaction_trigger' }] };

  test('over the stream leaves the history as it was [SIM-143]', async () => {
    const options = { compaction: brokenCompactions.serverError };

    expect(await judge([{ input: [a] }, triggered, { input: [a, b] }], options)).toEqual([]);
    expect(await judge([{ input: [a] }, triggered, { input: [b] }], options)).toEqual(rewritten({ at: 2 }));
    expect(await judge([{ input: [a] }, triggered, { input: [summary] }])).toEqual([]);
  });

  test('over the endpoint leaves the history as it was [SIM-143]', async () => {
    const sim = await Simulator.start({ rules: rehearse(() => respond()), compaction: brokenCompactions.html403 });
    const body = { model: 'm', instructions: 'Be brief.', input: [a], prompt_cache_key: 'thread-1' };
    await post(sim, bodyWith({ input: [a] }));
    await send(`${sim.url}/responses/compact`, body);
    await post(sim, bodyWith({ input: [b] }));
    await sim.stop();

    expect(sim.violations).toEqual(rewritten({ at: 1 }));
  });
});

describe('an item that was refused', () => {
  const refusals = [refuseItems(() => 'It is broken.', { form: 'image' })];
  const history = [a, call('c'), seen];

  test('may be another from then on, and only it [SIM-154]', async () => {
    const settled = [a, call('c'), placeholder, b];

    expect(await judge([{ input: history }, { input: settled }, { input: settled }], { refusals })).toEqual([]);
    expect(await judge([{ input: history }, { input: [b, call('c'), placeholder] }], { refusals })).toEqual(
      rewritten({ at: 1 }),
    );
    expect(await judge([{ input: history }, { input: settled }, { input: [a, b] }], { refusals })).toEqual([
      'request 2: the history was rewritten: input[1] differs from request 1',
    ]);
  });

  test('may be taken out with its call [SIM-154]', async () => {
    expect(await judge([{ input: [...history, b] }, { input: [a, b] }], { refusals })).toEqual([]);
    expect(await judge([{ input: history }, { input: [a] }], { refusals })).toEqual([]);
  });
});

describe('a model that reads only text', () => {
  const options = { textOnlyModels: ['words'] };
  const withImage = { input: [a, call('c'), seen] };
  const withText = { input: [a, call('c'), placeholder] };

  test('gets text for images, and the other model the images again [SIM-155]', async () => {
    expect(await judge([withImage, { ...withText, model: 'words' }, withImage], options)).toEqual([]);
  });

  test('gets nothing else anew, and no image [SIM-155]', async () => {
    const changed = { input: [b, call('c'), placeholder], model: 'words' };

    expect(await judge([withImage, changed], options)).toEqual(rewritten({ at: 1 }));
    expect(await judge([{ ...withImage, model: 'words' }], options)).toEqual([
      'request 0: input[2].output[1] is an image, and the model reads only text',
    ]);
    expect(await judge([withImage, { ...withText, model: 'other' }], options)).toEqual([
      'request 1: the history was rewritten: input[2].output[1].type differs from request 0',
    ]);
  });
});

test('a prewarm in the middle of a thread says nothing about its history [SIM-156]', async () => {
  const sim = await Simulator.start({ rules: rehearse(() => respond()) });
  await post(sim, bodyWith({ input: [a] }));
  using client = await WebSocketClient.open(sim);
  await client.ask({ generate: false, input: [] });
  await client.ask({ input: [a, message('assistant', 'ok'), b] });
  await client.ask({ input: [b] });
  await sim.stop();

  expect(sim.violations).toEqual(rewritten({ at: 2 }));
});
