import { approvalPolicyName, type JsonObject, type ToolCallItem, type TurnItem } from '@quire/protocol';
import { rejectedByUser } from '../../approval/rejected-by-user.ts';
import type { Approvals } from '../../ports/approvals.ts';
import type { Clock } from '../../ports/clock.ts';
import type { McpServers, McpTool as McpToolDescription, McpToolOutcome } from '../../ports/mcp-servers.ts';
import { parseArguments } from '../call-arguments.ts';
import { formatAbortedSeconds, type Tool, type ToolContext, type ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';
import { decideMcpCall, mayAsk } from './approval.ts';
import { resultJson, textOf, toolOutputOf } from './tool-output.ts';

export interface McpToolPorts {
  readonly servers: McpServers;
  readonly clock: Clock;
  /** Who fills in the forms of servers. Absent: nobody. */
  readonly approvals?: Approvals;
}

type McpItem = Extract<TurnItem, { kind: 'mcp-tool-call' }>;

/** One tool of one MCP server. */
export class McpTool implements Tool {
  readonly name: string;
  readonly kind = 'mcp';
  readonly parallelSafe: boolean;
  readonly spec: Tool['spec'];
  readonly #tool: McpToolDescription;
  readonly #ports: McpToolPorts;

  constructor(tool: McpToolDescription, ports: McpToolPorts) {
    this.#tool = tool;
    this.#ports = ports;
    this.name = tool.callName;
    this.parallelSafe = tool.parallelSafe;
    this.spec = {
      type: 'function',
      name: tool.callName,
      description: tool.description,
      strict: false,
      parameters: parametersOf(tool.inputSchema),
    };
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const args = parseArguments(call);
    if (args.kind === 'invalid') return toolError(call, this.name, args.message);
    const { server, name } = this.#tool;
    const item = startedItem(call.call_id ?? this.name, { server, tool: name, arguments: args.value });
    context.emit({ kind: 'item-start', turnId: context.turnId, item });
    const refusal = await this.#authorize(item, args.value, context);
    if (refusal !== undefined) {
      return { output: refusal, endItem: { ...item, status: 'declined', error: refusal }, failed: true };
    }
    const startedAtMs = this.#ports.clock.now();
    const outcome = await this.#call(args.value, context);
    const durationMs = this.#ports.clock.now() - startedAtMs;
    if (outcome === undefined) return abortedResult(item, durationMs);
    return finished({ ...item, durationMs }, outcome, context);
  }

  /** Why it may not run; `undefined`: it may. */
  async #authorize(item: McpItem, input: JsonObject, context: ToolContext): Promise<string | undefined> {
    const { server, name } = this.#tool;
    const decision = decideMcpCall(this.#tool, context.settings);
    if (decision.kind !== 'ask') context.noteDecision?.(decision.kind === 'run' ? 'approved' : 'denied', 'settings');
    if (decision.kind === 'run') return undefined;
    const setting = `mcp_servers.${server}.tools.${name}.approval_mode = "approve"`;
    if (decision.kind === 'refuse') {
      const policy = approvalPolicyName(context.settings.approvalPolicy);
      return `tool call refused: it needs an approval, and the approval policy ${policy} does not let anybody be asked; ${setting} in config.toml allows it`;
    }
    const request = {
      kind: 'tool',
      turnId: context.turnId,
      callId: item.id,
      reason: undefined,
      tool: this.name,
      input,
    } as const;
    const answer = await context.approvals.ask(request, {
      keys: [`mcp:${JSON.stringify([server, name])}`],
      signal: context.signal,
    });
    context.noteDecision?.(answer.kind, context.approvals.isUnattended ? 'settings' : 'person');
    if (answer.kind === 'aborted') context.interrupt();
    if (answer.kind !== 'denied' && answer.kind !== 'aborted') return undefined;
    return context.approvals.isUnattended
      ? `tool call refused: it needs an approval, and nobody can be asked; ${setting} in config.toml allows it`
      : rejectedByUser('tool call', answer);
  }

  /** `undefined`: aborted. */
  async #call(args: JsonObject, context: ToolContext): Promise<McpToolOutcome | undefined> {
    const { server, name } = this.#tool;
    const { approvals, servers } = this.#ports;
    const elicit = mayAsk(context.settings.approvalPolicy) ? approvals?.elicit?.bind(approvals) : undefined;
    const { signal } = context;
    try {
      return await servers.callTool(
        { server, tool: name, arguments: args },
        elicit === undefined ? { signal } : { signal, elicit },
      );
    } catch (error) {
      if (!signal.aborted) throw error;
      return undefined;
    }
  }
}

export function startedItem(id: string, call: Pick<McpItem, 'server' | 'tool' | 'arguments'>): McpItem {
  return {
    kind: 'mcp-tool-call',
    id,
    ...call,
    status: 'in-progress',
    result: undefined,
    error: undefined,
    durationMs: undefined,
  };
}

export function abortedResult(item: McpItem, durationMs: number): ToolResult {
  const output = `Wall time: ${formatAbortedSeconds(durationMs)} seconds\naborted by user`;
  return { output, endItem: { ...item, durationMs, status: 'failed', error: 'aborted by user' }, failed: true };
}

function finished(item: McpItem, outcome: McpToolOutcome, context: ToolContext): ToolResult {
  if (outcome.kind === 'failed') {
    const output = `tool call failed: ${outcome.reason}`;
    return { output, endItem: { ...item, status: 'failed', error: outcome.reason }, failed: true };
  }
  const output = toolOutputOf(outcome, context.settings.model);
  if (!outcome.isError) return { output, endItem: { ...item, status: 'completed', result: resultJson(outcome) } };
  const error = textOf(outcome.content) || 'the tool reported an error without a text';
  return { output, endItem: { ...item, status: 'failed', result: resultJson(outcome), error }, failed: true };
}

/** Servers may leave out what the API insists on. */
function parametersOf(schema: JsonObject): JsonObject {
  return { ...schema, type: 'object', properties: schema['properties'] ?? {} };
}
