import { functionCall, type RecordedRequest, respond, type Step, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { AgentBudget } from '../src/agent-budget.ts';
import {
  gate,
  isChild,
  openScene,
  outcomeOf,
  outputJson,
  outputText,
  runAll,
  spawnedId,
  userTexts,
} from './sub-agents-scene.ts';

const NO_LIMITS = { agentsMaxTokens: undefined, agentsMaxRequests: undefined, agentsMaxSeconds: undefined };
const USAGE = { inputTokens: 50, cachedInputTokens: 0, outputTokens: 10, reasoningOutputTokens: 0, totalTokens: 60 };

describe('a tree of agents', () => {
  test('is no deeper than it may be: the agent is told to do the work itself [AGENT-30]', async () => {
    const answer = (request: RecordedRequest): Step => {
      const output = outputText(request, 'spawn');
      if (output === undefined) return respond(functionCall('spawn', 'spawn_agent', { message: 'task' }));
      if (isChild(request)) return respond(text(output));
      return outputText(request, 'wait') === undefined
        ? respond(functionCall('wait', 'wait', { ids: [spawnedId(request)] }))
        : respond(text('Done.'));
    };
    await using scene = await openScene(answer);

    await scene.thread.run('go');

    const last = scene.simulator.requests.findLast((request) => !isChild(request)) as RecordedRequest;
    expect(outputJson(last, 'wait')?.['status']).toEqual({
      [spawnedId(last)]: {
        completed: expect.stringMatching(
          /^no agents can be started from here: .*agents\.max_depth.* Solve the task yourself/,
        ),
      },
    });
  });

  test('has no more agents open than it may; closing one makes room [AGENT-31]', async () => {
    const parent = (request: RecordedRequest): Step => {
      const answered = new Set(request.toolOutputs.map((output) => output.callId));
      const spawn = (id: string) => respond(functionCall(id, 'spawn_agent', { message: id }));
      if (!answered.has('one')) return spawn('one');
      if (!answered.has('two')) return spawn('two');
      const id = spawnedId(request, 'one');
      if (!answered.has('wait')) return respond(functionCall('wait', 'wait', { ids: [id] }));
      if (!answered.has('close')) return respond(functionCall('close', 'close_agent', { target: id }));
      return answered.has('three') ? respond(text('Done.')) : spawn('three');
    };
    await using scene = await openScene(
      (request) => (isChild(request) ? respond(text('Result.')) : parent(request)),
      ['agents.max_threads=1'],
    );

    await scene.thread.run('go');

    const last = scene.simulator.requests.findLast((request) => !isChild(request));
    expect(outputText(last, 'two')).toMatch(/^1 agents are open.*agents\.max_threads.*close_agent/);
    expect(outputJson(last, 'close')).toEqual({ status: { completed: 'Result.' } });
    expect(outputJson(last, 'three')).toEqual({ agent_id: expect.any(String), nickname: 'Birch' });
  });

  test('shares one budget of requests: the agent fails, its parent sees it and fails as well [AGENT-32]', async () => {
    const parentWaits = gate();
    const child = async (): Promise<Step> => {
      await parentWaits.opened;
      return respond(functionCall('echo', 'shell_command', { command: 'echo 1' }));
    };
    const parent = (request: RecordedRequest): Step => {
      if (request.toolOutputs.length === 0) return respond(functionCall('spawn', 'spawn_agent', { message: 'task' }));
      parentWaits.open();
      return respond(functionCall('wait', 'wait', { ids: [spawnedId(request)] }));
    };
    await using scene = await openScene(
      (request) => (isChild(request) ? child() : parent(request)),
      ['agents.max_requests=3'],
    );

    const events = await runAll(scene.thread, 'go');

    const message =
      'this thread and its agents have used up their budget of 3 requests; set a higher agents.max_requests, or begin a new thread';
    expect(outcomeOf(events)).toEqual({
      kind: 'failed',
      failure: { code: 'budget-exceeded', message, retryable: false },
    });
    expect(scene.simulator.requests.length).toBe(3);
    const items = events.flatMap((event) => (event.kind === 'item-end' ? [event.item] : []));
    const id = spawnedId(
      scene.simulator.requests.find((request) => request.toolOutputs.length === 1) as RecordedRequest,
    );
    expect(items.find((item) => item.kind === 'sub-agent' && item.action === 'wait')).toMatchObject({
      states: { [id]: 'errored' },
    });
  });

  test('counts a review as well, and its reviewer starts no agents [AGENT-38]', async () => {
    await using scene = await openScene(() => respond(text('Fine.')), ['agents.max_requests=2']);
    const task = { kind: 'custom', instructions: 'look at everything' } as const;

    await scene.thread.run('go');
    await scene.thread.review(task);
    const refused = await scene.thread.review(task).catch((error: unknown) => error);

    expect(refused).toMatchObject({ failure: { code: 'budget-exceeded' } });
    const tools = scene.simulator.requests.map((request) => JSON.stringify(request.body['tools']));
    expect(tools.map((offered) => offered.includes('spawn_agent'))).toEqual([true, false]);
  });

  test('shares one budget of tokens [AGENT-33]', () => {
    const budget = new AgentBudget({ ...NO_LIMITS, agentsMaxTokens: 100 }, { now: () => 0 });

    expect(budget.refusal()).toBeUndefined();
    budget.spend(USAGE);
    expect(budget.refusal()).toBeUndefined();
    budget.spend(USAGE);

    expect(budget.refusal()).toBe(
      'this thread and its agents have used up their budget of 100 tokens; 120 were used; set a higher agents.max_tokens, or begin a new thread',
    );
  });

  test('shares one budget of time, which begins with the first request [AGENT-34]', () => {
    let nowMs = 5_000_000;
    const budget = new AgentBudget({ ...NO_LIMITS, agentsMaxSeconds: 10 }, { now: () => nowMs });

    expect(budget.refusal()).toBeUndefined();
    nowMs += 9_999;
    expect(budget.refusal()).toBeUndefined();
    nowMs += 1;

    expect(budget.refusal()).toContain('10 seconds; set a higher agents.max_seconds');
  });

  test('lets nobody wait for a thread above it [AGENT-35]', async () => {
    const answer = (request: RecordedRequest): Step => {
      const [task = ''] = userTexts(request);
      const above = /^below (.*)$/.exec(task)?.[1];
      const call = above === undefined ? 'down' : 'up';
      const heard = outputText(request, call);
      if (heard !== undefined) return respond(text(heard));
      if (above !== undefined) return respond(functionCall(call, 'wait', { ids: [above] }));
      if (outputText(request, 'spawn') !== undefined) {
        return respond(functionCall(call, 'wait', { ids: [spawnedId(request)] }));
      }
      const message = isChild(request) ? `below ${String(request.body['prompt_cache_key'])}` : 'middle';
      return respond(functionCall('spawn', 'spawn_agent', { message }));
    };
    await using scene = await openScene(answer, ['agents.max_depth=2']);

    const { finalResponse } = await scene.thread.run('go');

    expect(finalResponse).toContain('is a thread that you did not start; this works only for agents that you started');
  });
});
