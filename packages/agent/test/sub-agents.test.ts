import type { JsonObject } from '@quire/protocol';
import { functionCall, type RecordedRequest, respond, type Step, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  gate,
  headers,
  isChild,
  openScene,
  outcomeOf,
  outputJson,
  outputText,
  runAll,
  spawnedId,
  userTexts,
  warningsOf,
} from './sub-agents-scene.ts';

const TOOL_NAMES = ['spawn_agent', 'send_input', 'resume_agent', 'wait', 'close_agent'];

function toolNames(request: RecordedRequest | undefined): readonly unknown[] {
  const tools = request?.body['tools'] as readonly { readonly name?: string; readonly type: string }[];
  return tools.map((tool) => tool.name ?? tool.type);
}

/** Starts one agent, waits for it once and answers. */
function spawnAndWait(spawn: JsonObject): (request: RecordedRequest) => Step {
  return (request) => {
    if (outputText(request, 'spawn') === undefined) return respond(functionCall('spawn', 'spawn_agent', spawn));
    if (outputText(request, 'wait') === undefined) {
      return respond(functionCall('wait', 'wait', { ids: [spawnedId(request)] }));
    }
    return respond(text('Done.'));
  };
}

describe('a thread with agents', () => {
  test('starts two that work at the same time, waits for both and uses what they found [AGENT-20]', async () => {
    const bothWork = gate();
    const working = new Set<string>();
    const child = async (request: RecordedRequest): Promise<Step> => {
      const [task = ''] = userTexts(request);
      working.add(task);
      if (working.size === 2) bothWork.open();
      await bothWork.opened;
      return respond(text(`Result of ${task}.`));
    };
    const parent = (request: RecordedRequest): Step => {
      if (request.toolOutputs.length === 0) {
        return respond(
          functionCall('a', 'spawn_agent', { message: 'task A' }),
          functionCall('b', 'spawn_agent', { items: [{ type: 'text', text: 'task B' }] }),
        );
      }
      const reported = JSON.stringify(request.toolOutputs.slice(2));
      const missing = ['a', 'b'].map((call) => spawnedId(request, call)).filter((id) => !reported.includes(id));
      return missing.length === 0
        ? respond(text('Both are done.'))
        : respond(functionCall(`wait-${missing.length}`, 'wait_agent', { targets: missing }));
    };
    await using scene = await openScene((request) => (isChild(request) ? child(request) : parent(request)));

    const result = await scene.thread.run('do both');

    expect(result.finalResponse).toBe('Both are done.');
    const last = scene.simulator.requests.findLast((request) => !isChild(request));
    const outputs = JSON.stringify(last?.toolOutputs);
    expect(outputs).toContain('Result of task A.');
    expect(outputs).toContain('Result of task B.');
    const [childA] = scene.simulator.requests.filter(isChild);
    expect(childA?.body['prompt_cache_key']).not.toBe(scene.thread.facts.threadId);
    expect(childA?.body['instructions']).toBe(scene.simulator.requests[0]?.body['instructions']);
  });

  test('offers the tools behind all others that are built in, and only with the feature [AGENT-21]', async () => {
    await using on = await openScene(() => respond(text('Hi.')));
    await using off = await openScene(() => respond(text('Hi.')), ['features.multi_agent=false']);

    await on.thread.run('hi');
    await off.thread.run('hi');

    const own = ['shell_command', 'update_plan', 'apply_patch'];
    expect(toolNames(on.simulator.requests[0])).toEqual([...own, 'view_image', ...TOOL_NAMES]);
    expect(toolNames(off.simulator.requests[0])).toEqual([...own, 'view_image']);
  });

  test('is told of each agent that finished once, and in no other way [AGENT-22]', async () => {
    const parent = spawnAndWait({ message: 'task' });
    await using scene = await openScene((request) => (isChild(request) ? respond(text('Result.')) : parent(request)));

    const events = await runAll(scene.thread, 'go');
    await scene.thread.run('and now?');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    const id = spawnedId(last);
    const notice = `<subagent_notification>\n${JSON.stringify({ agent_id: id, status: { completed: 'Result.' } })}\n</subagent_notification>`;
    expect(outputJson(last, 'wait')).toEqual({ status: { [id]: { completed: 'Result.' } }, timed_out: false });
    expect(userTexts(last)).toEqual(['go', notice, 'and now?']);
    expect(userTexts(scene.simulator.requests.at(-2) as RecordedRequest)).toEqual(['go', notice]);
    expect(events.filter((event) => event.kind === 'item-end').map((event) => event.item)).toMatchObject([
      { kind: 'user-message', text: 'go' },
      { kind: 'sub-agent', action: 'spawn', prompt: 'task', status: 'completed', threadIds: [id] },
      { kind: 'sub-agent', action: 'wait', status: 'completed', threadIds: [id], states: { [id]: 'completed' } },
      { kind: 'agent-message', text: 'Done.' },
    ]);
  });

  test('goes on when one fails, and people are warned with its name [AGENT-23]', async () => {
    const parent = spawnAndWait({ message: 'task' });
    const crash = status(/* code */ 400, { body: { error: { message: 'no such thing', code: 'invalid_prompt' } } });
    await using scene = await openScene((request) => (isChild(request) ? crash : parent(request)));

    const events = await runAll(scene.thread, 'go');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    expect(outcomeOf(events)).toEqual({ kind: 'completed', lastAgentMessage: 'Done.' });
    expect(outputJson(last, 'wait')).toEqual({
      status: { [spawnedId(last)]: { errored: expect.stringContaining('no such thing') } },
      timed_out: false,
    });
    expect(warningsOf(events)).toEqual([expect.stringMatching(/^Agent Alder failed: .*no such thing/)]);
  });

  test('gives an agent its own history when it is asked to, without the call that starts it [AGENT-24]', async () => {
    const parent = spawnAndWait({ message: 'task', fork_context: true });
    await using scene = await openScene((request) => {
      if (isChild(request)) return respond(text('Result.'));
      if (request.toolOutputs.length === 0)
        return respond(functionCall('echo', 'shell_command', { command: 'echo 1' }));
      return parent(request);
    });

    await scene.thread.run('go');

    const child = scene.simulator.requests.find(isChild) as RecordedRequest;
    const before = scene.simulator.requests[1] as RecordedRequest;
    expect(child.input.slice(0, -1)).toEqual(before.input);
    expect(userTexts(child)).toEqual(['go', 'task']);
  });

  test('keeps who an agent is in the header of its file [AGENT-25]', async () => {
    const parent = spawnAndWait({ message: 'task', agent_type: 'explorer', fork_context: true });
    await using scene = await openScene((request) => (isChild(request) ? respond(text('Result.')) : parent(request)));

    await scene.thread.run('go');

    const { threadId } = scene.thread.facts;
    const found = (await headers(scene.workspace.home)).find((header) => header['id'] !== threadId);
    expect(found).toMatchObject({
      id: spawnedId(scene.simulator.requests.at(-1) as RecordedRequest),
      forked_from_id: threadId,
      agent_nickname: 'Alder',
      agent_role: 'explorer',
      source: {
        subagent: {
          thread_spawn: { parent_thread_id: threadId, depth: 1, agent_nickname: 'Alder', agent_role: 'explorer' },
        },
      },
    });
  });

  test('gives one that has finished more to do, and hears of that as well [AGENT-26]', async () => {
    const parent = (request: RecordedRequest): Step => {
      const answered = new Set(request.toolOutputs.map((output) => output.callId));
      if (!answered.has('spawn')) return respond(functionCall('spawn', 'spawn_agent', { message: 'first' }));
      const id = spawnedId(request);
      if (!answered.has('wait-1')) return respond(functionCall('wait-1', 'wait', { ids: [id] }));
      if (!answered.has('send')) return respond(functionCall('send', 'send_input', { id, message: 'second' }));
      if (!answered.has('wait-2')) return respond(functionCall('wait-2', 'wait', { ids: [id] }));
      return respond(text('Done.'));
    };
    await using scene = await openScene((request) =>
      isChild(request) ? respond(text(`Result of ${userTexts(request).join('+')}.`)) : parent(request),
    );

    await scene.thread.run('go');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    const id = spawnedId(last);
    expect(outputJson(last, 'send')).toEqual({ submission_id: expect.any(String) });
    expect(outputJson(last, 'wait-2')?.['status']).toEqual({ [id]: { completed: 'Result of first+second.' } });
    expect(userTexts(last).filter((said) => said.startsWith('<subagent_notification>')).length).toBe(2);
  });
});
