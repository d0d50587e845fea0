import {
  type Clock,
  loadSubAgentTools,
  type RequestBudget,
  SubAgentError,
  type SubAgentStatus,
  type SubAgents,
  statusJson,
  subAgentNotice,
  Thread,
} from '@quire/core';
import { type JsonObject, ModelError, parseThreadId, type ThreadEvent, type ThreadId } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  calls,
  done,
  FakeClock,
  MemoryFiles,
  MemoryRollout,
  type ModelStep,
  outputs,
  ScriptedModel,
  ScriptedRunner,
  says,
  settings,
  step,
} from '../thread/harness.ts';

const ID = parseThreadId('01a1fb92-91c2-7ad3-9095-c4fc9f7c6463') as ThreadId;

/** Notes what is asked for; what it answers can be replaced. */
function fakeAgents(answers: Partial<SubAgents> = {}): SubAgents & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    spawn: async (order) => {
      asked.push(order);
      return { threadId: ID, nickname: 'Alder' };
    },
    send: async (id, message) => {
      asked.push([id, message]);
      return { submissionId: 'submission' };
    },
    resume: async () => ({ kind: 'completed', text: undefined }),
    wait: async (ids, { timeoutMs }) => {
      asked.push([ids, timeoutMs]);
      return new Map();
    },
    close: async (id) => {
      asked.push(id);
      return { kind: 'running' };
    },
    ...answers,
  };
}

async function openThread(parts: {
  readonly steps: readonly ModelStep[];
  readonly agents?: SubAgents;
  readonly budget?: RequestBudget;
  readonly overrides?: Parameters<typeof settings>[0];
  readonly clock?: Clock;
}): Promise<{
  readonly model: ScriptedModel;
  readonly events: ThreadEvent[];
  readonly thread: Thread;
  run(signal?: AbortSignal): ReturnType<Thread['runTurn']>;
}> {
  const model = new ScriptedModel(parts.steps);
  const events: ThreadEvent[] = [];
  let ids = 0;
  const { agents, budget } = parts;
  const thread = new Thread({
    id: ID,
    settings: settings(parts.overrides),
    ports: {
      model,
      runner: new ScriptedRunner(() => ''),
      files: new MemoryFiles(),
      rollout: new MemoryRollout(),
      clock: parts.clock ?? new FakeClock(),
      entropy: { random: () => 0.5, uuid: () => `id-${++ids}` },
      ...(budget === undefined ? {} : { budget }),
      ...(agents === undefined ? {} : { agentTools: (await loadSubAgentTools())(agents) }),
    },
    seed: undefined,
  });
  const run = (signal = new AbortController().signal): ReturnType<Thread['runTurn']> =>
    thread.runTurn({
      input: [{ kind: 'text', text: 'go' }],
      signal,
      outputSchema: undefined,
      onEvent: (event) => events.push(event),
    });
  return { model, events, thread, run };
}

/** What one call is answered. */
async function answerOf(agents: SubAgents, name: string, args: object): Promise<unknown> {
  const t = await openThread({ steps: [step(calls('call', name, args), done()), step(says('Ok.'), done())], agents });
  await t.run();
  return outputs(t.model.requests[1])['call'];
}

describe('the tools for agents', () => {
  test('are offered in order, not strict, and closed to other fields [CORE-250]', async () => {
    const tools = (await loadSubAgentTools())(fakeAgents());

    const shapes = tools.map(({ name, spec, parallelSafe }) => {
      const { strict, parameters } = spec as { readonly strict: boolean; readonly parameters: JsonObject };
      const { properties, required, additionalProperties } = parameters;
      return { name, strict, additionalProperties, required, parallelSafe, fields: Object.keys(properties as object) };
    });
    const shared = { strict: false, additionalProperties: false };
    const input = ['message', 'items'];
    expect(shapes).toEqual([
      {
        ...shared,
        name: 'spawn_agent',
        required: [],
        parallelSafe: false,
        fields: [...input, 'agent_type', 'fork_context', 'model', 'reasoning_effort'],
      },
      { ...shared, name: 'send_input', required: ['id'], parallelSafe: false, fields: ['id', ...input, 'interrupt'] },
      { ...shared, name: 'resume_agent', required: ['id'], parallelSafe: false, fields: ['id'] },
      { ...shared, name: 'wait', required: ['ids'], parallelSafe: true, fields: ['ids', 'timeout_ms'] },
      { ...shared, name: 'close_agent', required: ['id'], parallelSafe: false, fields: ['id'] },
    ]);
  });

  test.each([
    ['spawn_agent', {}, 'give exactly one of `message` and `items`'],
    [
      'spawn_agent',
      { message: 'a', items: [{ type: 'text', text: 'b' }] },
      'give exactly one of `message` and `items`',
    ],
    ['spawn_agent', { message: ' ' }, '`message` must be a text with content'],
    ['spawn_agent', { items: [] }, '`items` must be a list with content'],
    ['spawn_agent', { items: [{ type: 'image', image_url: 'file:///etc/passwd' }] }, 'each of `items` is'],
    ['spawn_agent', { message: 'a', fork_context: 'yes' }, '`fork_context` must be true or false'],
    ['spawn_agent', { message: 'a', agent_type: 'x'.repeat(101) }, '`agent_type` must be a short text'],
    ['send_input', { message: 'a' }, 'missing field `id`'],
    ['send_input', { id: 'x' }, 'give exactly one of `message` and `items`'],
    ['resume_agent', {}, 'missing field `id`'],
    ['wait', { ids: [] }, 'missing field `ids`'],
    ['wait', { ids: ['a'], timeout_ms: 0 }, '`timeout_ms` must be a number above 0'],
    ['close_agent', { id: 7 }, 'missing field `id`'],
  ])('refuse wrong arguments: %s %j [CORE-251]', async (name, args, detail) => {
    const agents = fakeAgents();

    const answer = await answerOf(agents, name, args);

    expect(answer).toMatch(/^failed to parse function arguments: /);
    expect(answer).toContain(detail);
    expect(agents.asked).toEqual([]);
  });

  test('hand on what the model asked for [CORE-252]', async () => {
    const agents = fakeAgents();
    const items = [
      { type: 'text', text: 'look' },
      { type: 'image', image_url: 'https://example.org/a.png' },
    ];

    expect(
      await answerOf(agents, 'spawn_agent', {
        items,
        agent_type: 'explorer',
        fork_context: true,
        model: 'm',
        reasoning_effort: 'low',
      }),
    ).toBe(JSON.stringify({ agent_id: ID, nickname: 'Alder' }));
    expect(await answerOf(agents, 'send_input', { id: 'x', message: 'more', interrupt: true })).toBe(
      '{"submission_id":"submission"}',
    );
    expect(await answerOf(agents, 'resume_agent', { id: 'x' })).toBe('{"status":{"completed":null}}');
    expect(await answerOf(agents, 'close_agent', { id: 'x' })).toBe('{"status":"running"}');
    expect(agents.asked).toEqual([
      {
        input: [
          { kind: 'text', text: 'look' },
          { kind: 'image', url: 'https://example.org/a.png' },
        ],
        role: 'explorer',
        forkContext: true,
        model: 'm',
        reasoningEffort: 'low',
      },
      ['x', { input: [{ kind: 'text', text: 'more' }], interrupt: true }],
      'x',
    ]);
  });

  test('are understood in their newer spelling as well [CORE-253]', async () => {
    const agents = fakeAgents();

    await answerOf(agents, 'wait_agent', { targets: ['x', 'x'] });
    await answerOf(agents, 'close_agent', { target: 'y' });

    expect(agents.asked).toEqual([[['x'], 30_000], 'y']);
  });

  test.each([
    [undefined, 30_000],
    [1, 10_000],
    [20_000, 20_000],
    [9_000_000, 3_600_000],
  ])('wait for %s ms as %s [CORE-254]', async (timeout, expected) => {
    const agents = fakeAgents();

    const answer = await answerOf(agents, 'wait', {
      ids: ['x'],
      ...(timeout === undefined ? {} : { timeout_ms: timeout }),
    });

    expect(agents.asked).toEqual([[['x'], expected]]);
    expect(answer).toBe('{"status":{},"timed_out":true}');
  });

  test.each<[SubAgentStatus, unknown]>([
    [{ kind: 'pending-init' }, 'pending_init'],
    [{ kind: 'running' }, 'running'],
    [{ kind: 'interrupted' }, 'interrupted'],
    [{ kind: 'shutdown' }, 'shutdown'],
    [{ kind: 'not-found' }, 'not_found'],
    [{ kind: 'completed', text: 'a' }, { completed: 'a' }],
    [{ kind: 'completed', text: undefined }, { completed: null }],
    [{ kind: 'errored', message: 'b' }, { errored: 'b' }],
  ])('spell the status %j as %j [CORE-255]', (status, expected) => {
    expect(statusJson(status)).toEqual(expected);
    expect(subAgentNotice(ID, status)).toMatchObject({
      role: 'user',
      content: [
        {
          type: 'input_text',
          text: `<subagent_notification>\n${JSON.stringify({ agent_id: ID, status: expected })}\n</subagent_notification>`,
        },
      ],
    });
  });

  test('tell the model what can not be done, and people that it failed [CORE-256]', async () => {
    const agents = fakeAgents({
      close: async () => {
        throw new SubAgentError('not-found', 'there is no agent with id x.');
      },
    });
    const t = await openThread({
      steps: [step(calls('call', 'close_agent', { id: 'x' }), done()), step(says('Ok.'), done())],
      agents,
    });

    await t.run();

    expect(outputs(t.model.requests[1])).toEqual({ call: 'there is no agent with id x.' });
    const item = { kind: 'sub-agent', id: 'call', action: 'close', threadIds: ['x'], prompt: undefined, states: {} };
    expect(t.events.filter((event) => 'item' in event && event.item.kind === 'sub-agent')).toEqual([
      { kind: 'item-start', turnId: 'id-1', item: { ...item, status: 'in-progress' } },
      { kind: 'item-end', turnId: 'id-1', item: { ...item, status: 'failed' } },
    ]);
  });

  test('wait side by side, and what changes something comes after [CORE-257]', async () => {
    const log: string[] = [];
    const agents = fakeAgents({
      wait: async ([id]) => {
        log.push(`wait ${id}`);
        await Promise.resolve();
        log.push(`waited ${id}`);
        return new Map();
      },
      close: async (id) => {
        log.push(`close ${id}`);
        return { kind: 'running' };
      },
    });
    const t = await openThread({
      steps: [
        step(
          calls('1', 'wait', { ids: ['a'] }),
          calls('2', 'wait', { ids: ['b'] }),
          calls('3', 'close_agent', { id: 'a' }),
          done(),
        ),
        step(says('Ok.'), done()),
      ],
      agents,
    });

    await t.run();

    expect(log.slice(0, 2)).toEqual(['wait a', 'wait b']);
    expect(log.at(-1)).toBe('close a');
  });

  test('stop waiting at once when the turn is interrupted [CORE-258]', async () => {
    const stop = new AbortController();
    const agents = fakeAgents({
      wait: (_, __, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          stop.abort(new Error('enough'));
        }),
    });
    const t = await openThread({ steps: [step(calls('call', 'wait', { ids: ['x'] }), done())], agents });

    expect(await t.run(stop.signal)).toEqual({ kind: 'interrupted' });

    const ends = t.events.flatMap((event) => (event.kind === 'item-end' ? [event.item] : []));
    expect(ends.at(-1)).toMatchObject({ kind: 'sub-agent', action: 'wait', status: 'failed' });
    expect(t.thread.history).toContainEqual({
      type: 'function_call_output',
      call_id: 'call',
      output: expect.stringMatching(/^aborted/),
    });
  });
});

describe('a budget', () => {
  /** Lets `count` requests through. */
  function allow(count: number): RequestBudget & { readonly asked: () => number } {
    let asked = 0;
    return {
      asked: () => asked,
      refusal: () => (++asked > count ? 'all is used up' : undefined),
      spend: () => undefined,
    };
  }

  const EXCEEDED = { code: 'budget-exceeded', message: 'all is used up', retryable: false };

  test('is asked before each request, also when one is repeated [CORE-259]', async () => {
    const broken = new ModelError('stream-truncated', 'cut', { retryable: true });
    const budget = allow(/* count */ 1);
    const t = await openThread({ steps: [{ events: [], error: broken }], budget });

    expect(await t.run()).toEqual({ kind: 'failed', failure: EXCEEDED });
    expect([t.model.requests.length, budget.asked()]).toEqual([1, 2]);
  });

  test('is asked before a compaction; refused, no other way spoils the history [CORE-260]', async () => {
    const { compaction } = settings();
    const budget = allow(/* count */ 1);
    const t = await openThread({
      steps: [step(says('Ok.'), done())],
      budget,
      clock: { now: () => 0, sleep: () => new Promise<void>(() => undefined) },
      overrides: { compaction: { ...compaction, strategies: ['local', 'trim'] } },
    });
    await t.run();
    const before = t.thread.history;

    const outcome = await t.thread.compact({ signal: new AbortController().signal, onEvent: () => undefined });

    expect(outcome).toEqual({ kind: 'failed', failure: EXCEEDED });
    expect(t.thread.history).toEqual(before);
    expect(t.model.requests.length).toBe(1);
  });
});
