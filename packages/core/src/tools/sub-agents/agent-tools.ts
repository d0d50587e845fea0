import type { UserInput } from '@quire/protocol';
import type { SpawnOrder, SubAgents } from '../../ports/sub-agents.ts';
import type { Tool } from '../tool.ts';
import {
  INPUT_PARAMETERS,
  inputSummary,
  readFlag,
  readId,
  readInput,
  readLabel,
  readWait,
  WAIT_PARAMETERS,
  type WaitArguments,
} from './agent-arguments.ts';
import { AgentTool } from './agent-tool.ts';
import { statusJson } from './status-json.ts';

const ID_PARAMETER = { id: { type: 'string', description: 'The `agent_id` that `spawn_agent` gave.' } } as const;

/** The tools of a thread that may start agents of its own, in the order in which they are offered. */
export function createSubAgentTools(agents: SubAgents): readonly Tool[] {
  return [spawnAgent(agents), sendInput(agents), resumeAgent(agents), wait(agents), closeAgent(agents)];
}

function spawnAgent(agents: SubAgents): Tool {
  return new AgentTool<SpawnOrder>({
    name: 'spawn_agent',
    action: 'spawn',
    parallelSafe: false,
    description: [
      'Starts an agent that works on a task of its own in the background, in this working directory and with your',
      'permissions. Use it for parts that are independent of each other and large enough to be worth it. The agent',
      'knows only what you tell it, unless you set `fork_context`: say what to do, where, and what to report. Go on',
      'with other work meanwhile; `wait` tells the result. Agents share the files: do not let two change the same ones.',
    ].join(' '),
    properties: {
      ...INPUT_PARAMETERS,
      agent_type: { type: 'string', description: 'A label for the kind of work, such as `explorer`.' },
      fork_context: { type: 'boolean', description: 'The agent begins with a copy of this conversation.' },
      model: { type: 'string', description: 'Another model than yours. Leave it out unless you were asked for it.' },
      reasoning_effort: { type: 'string', description: 'Another reasoning effort than yours.' },
    },
    required: [],
    read: (args) => {
      const input = readInput(args);
      if (input.kind === 'invalid') return input;
      const role = readLabel(args, 'agent_type');
      if (role.kind === 'invalid') return role;
      const forkContext = readFlag(args, 'fork_context');
      if (forkContext.kind === 'invalid') return forkContext;
      const model = readLabel(args, 'model');
      if (model.kind === 'invalid') return model;
      const effort = readLabel(args, 'reasoning_effort');
      if (effort.kind === 'invalid') return effort;
      return {
        kind: 'ok',
        value: {
          input: input.value,
          role: role.value,
          forkContext: forkContext.value,
          model: model.value,
          reasoningEffort: effort.value,
        },
      };
    },
    topic: ({ input }) => ({ threadIds: [], prompt: inputSummary(input) }),
    run: async (order, caller) => {
      const { threadId, nickname } = await agents.spawn(order, caller);
      return { output: { agent_id: threadId, nickname }, states: new Map([[threadId, { kind: 'running' }]]) };
    },
  });
}

interface Message {
  readonly id: string;
  readonly input: readonly UserInput[];
  readonly interrupt: boolean;
}

function sendInput(agents: SubAgents): Tool {
  return new AgentTool<Message>({
    name: 'send_input',
    action: 'send',
    parallelSafe: false,
    description:
      'Tells an agent more. While it works, it hears it before its next step; otherwise it takes it up as a new task.',
    properties: {
      ...ID_PARAMETER,
      ...INPUT_PARAMETERS,
      interrupt: { type: 'boolean', description: 'Stops what the agent is doing first. Default false.' },
    },
    required: ['id'],
    read: (args) => {
      const id = readId(args);
      if (id.kind === 'invalid') return id;
      const input = readInput(args);
      if (input.kind === 'invalid') return input;
      const interrupt = readFlag(args, 'interrupt');
      if (interrupt.kind === 'invalid') return interrupt;
      return { kind: 'ok', value: { id: id.value, input: input.value, interrupt: interrupt.value } };
    },
    topic: ({ id, input }) => ({ threadIds: [id], prompt: inputSummary(input) }),
    run: async ({ id, ...message }, caller) => {
      const { submissionId } = await agents.send(id, message, caller);
      return { output: { submission_id: submissionId }, states: new Map([[id, { kind: 'running' }]]) };
    },
  });
}

function resumeAgent(agents: SubAgents): Tool {
  return new AgentTool<string>({
    name: 'resume_agent',
    action: 'resume',
    parallelSafe: false,
    description: 'Opens an agent again that was closed, with all that it knew; then `send_input` gives it work.',
    properties: ID_PARAMETER,
    required: ['id'],
    read: readId,
    topic: (id) => ({ threadIds: [id], prompt: undefined }),
    run: async (id, caller) => {
      const status = await agents.resume(id, caller);
      return { output: { status: statusJson(status) }, states: new Map([[id, status]]) };
    },
  });
}

/** It only looks, so others may run beside it; what was called before it and changes something has ended by then. */
function wait(agents: SubAgents): Tool {
  return new AgentTool<WaitArguments>({
    name: 'wait',
    aliases: ['wait_agent'],
    action: 'wait',
    parallelSafe: true,
    description: [
      'Waits until one of the agents has finished, failed or stopped, and tells the status of those that have, with',
      "an agent's last message. `timed_out` is true when none has. Prefer one long wait to many short ones.",
    ].join(' '),
    properties: WAIT_PARAMETERS,
    required: ['ids'],
    read: readWait,
    topic: ({ ids }) => ({ threadIds: ids, prompt: undefined }),
    run: async ({ ids, timeoutMs }, caller) => {
      const states = await agents.wait(ids, { timeoutMs }, caller);
      const status = Object.fromEntries([...states].map(([id, state]) => [id, statusJson(state)]));
      return { output: { status, timed_out: states.size === 0 }, states };
    },
  });
}

function closeAgent(agents: SubAgents): Tool {
  return new AgentTool<string>({
    name: 'close_agent',
    action: 'close',
    parallelSafe: false,
    description: [
      'Ends an agent that is no longer needed, with all agents that it started, and makes room for others. Tells its',
      'status from before.',
    ].join(' '),
    properties: ID_PARAMETER,
    required: ['id'],
    read: readId,
    topic: (id) => ({ threadIds: [id], prompt: undefined }),
    run: async (id, caller) => {
      const status = await agents.close(id, caller);
      return { output: { status: statusJson(status) }, states: new Map([[id, status]]) };
    },
  });
}
