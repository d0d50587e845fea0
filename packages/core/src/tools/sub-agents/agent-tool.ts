import type { JsonObject, ToolCallItem, TurnItem } from '@quire/protocol';
import { type SubAgentCaller, SubAgentError, type SubAgentStatus } from '../../ports/sub-agents.ts';
import { type ArgumentReading, parseArguments } from '../call-arguments.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';
import { statusJson } from './status-json.ts';

type SubAgentItem = Extract<TurnItem, { kind: 'sub-agent' }>;

/** What people are shown while a call runs. */
export type AgentToolTopic = Pick<SubAgentItem, 'threadIds' | 'prompt'>;

export interface AgentToolOutcome {
  /** What the model is told. */
  readonly output: JsonObject;
  readonly states: ReadonlyMap<string, SubAgentStatus>;
}

export interface AgentToolDefinition<Args> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly action: SubAgentItem['action'];
  readonly parallelSafe: boolean;
  readonly description: string;
  readonly properties: JsonObject;
  readonly required: readonly string[];
  readonly read: (args: JsonObject) => ArgumentReading<Args>;
  readonly topic: (args: Args) => AgentToolTopic;
  /** Throws `SubAgentError`, which is an answer for the model, or the reason of the signal. */
  readonly run: (args: Args, caller: SubAgentCaller) => Promise<AgentToolOutcome>;
}

/** A tool that does something with sub-agents: reads arguments, shows the action, and answers in JSON. */
export class AgentTool<Args> implements Tool {
  readonly name: string;
  readonly kind = 'sub-agent';
  readonly aliases: readonly string[];
  readonly parallelSafe: boolean;
  readonly spec: Tool['spec'];
  readonly #definition: AgentToolDefinition<Args>;

  constructor(definition: AgentToolDefinition<Args>) {
    const { name, description, properties, required } = definition;
    this.#definition = definition;
    this.name = name;
    this.aliases = definition.aliases ?? [];
    this.parallelSafe = definition.parallelSafe;
    this.spec = {
      type: 'function',
      name,
      description,
      strict: false,
      parameters: { type: 'object', properties, required, additionalProperties: false },
    };
  }

  async run(call: ToolCallItem, { turnId, settings, signal, emit }: ToolContext): Promise<ToolResult> {
    const { action, read, topic, run } = this.#definition;
    const parsed = parseArguments(call);
    const args = parsed.kind === 'ok' ? read(parsed.value) : parsed;
    if (args.kind === 'invalid') return toolError(call, this.name, args.message);
    const callId = call.call_id ?? this.name;
    const begun = { kind: 'sub-agent', id: callId, action, ...topic(args.value), states: {} } as const;
    emit({ kind: 'item-start', turnId, item: { ...begun, status: 'in-progress' } });
    try {
      const { output, states } = await run(args.value, { turnId, callId, settings, signal });
      return { output: JSON.stringify(output), endItem: { ...begun, ...shown(begun, states), status: 'completed' } };
    } catch (error) {
      if (!(error instanceof SubAgentError)) throw error;
      return { output: error.message, endItem: { ...begun, status: 'failed' } };
    }
  }
}

/** A spawn knows its thread only at the end. */
function shown(
  begun: AgentToolTopic,
  states: ReadonlyMap<string, SubAgentStatus>,
): Pick<SubAgentItem, 'threadIds' | 'states'> {
  const words = [...states].map(([id, status]) => {
    const json = statusJson(status);
    return [id, typeof json === 'string' ? json : status.kind] as const;
  });
  return {
    threadIds: begun.threadIds.length === 0 ? [...states.keys()] : begun.threadIds,
    states: Object.fromEntries(words),
  };
}
