import type { ToolCallItem, ToolSpec } from '@quire/protocol';
import type { Clock } from '../ports/clock.ts';
import { ReadWriteLock } from './read-write-lock.ts';
import { formatAbortedSeconds, type Tool, type ToolContext, type ToolResult } from './tool.ts';

/** The one dispatcher: every call of the model passes here. */
export class ToolRouter {
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #aliases: ReadonlyMap<string, Tool>;
  readonly #clock: Clock;
  readonly #lock = new ReadWriteLock();

  constructor(tools: readonly Tool[], clock: Clock) {
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#aliases = new Map(tools.flatMap((tool) => (tool.aliases ?? []).map((alias) => [alias, tool] as const)));
    this.#clock = clock;
  }

  get specs(): readonly ToolSpec[] {
    return [...this.#tools.values()].map((tool) => tool.spec);
  }

  /** A call of this tool begins to arrive. */
  prepare(name: string): void {
    this.#tools.get(name)?.prepare?.();
  }

  /** Serves one call; unknown tools, faults of a tool and aborts become outputs. Never rejects. */
  async dispatch(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const name = call.type === 'local_shell_call' ? 'local_shell' : call.name;
    const tool = this.#tools.get(name) ?? this.#aliases.get(name);
    if (tool === undefined) return unsupported(call, name);
    const startedAtMs = this.#clock.now();
    try {
      return await this.#lock.run(tool.parallelSafe ? 'read' : 'write', async () => {
        await context.beforeRun?.();
        context.signal.throwIfAborted();
        return tool.run(call, context);
      });
    } catch (error) {
      if (context.signal.aborted) return abortedResult(this.#clock.now() - startedAtMs);
      const reason = error instanceof Error ? error.message : String(error);
      return toolError(call, name, `tool ${name} failed: ${reason}`);
    }
  }
}

function abortedResult(durationMs: number): ToolResult {
  return { output: `aborted by user after ${formatAbortedSeconds(durationMs)}s`, endItem: undefined };
}

function unsupported(call: ToolCallItem, name: string): ToolResult {
  const message =
    call.type === 'custom_tool_call' ? `unsupported custom tool call: ${name}` : `unsupported call: ${name}`;
  return toolError(call, name, message);
}

/** An output that tells the model what went wrong, shown to people as well. */
export function toolError(call: ToolCallItem, tool: string, message: string): ToolResult {
  return { output: message, endItem: { kind: 'tool-error', id: call.call_id ?? tool, tool, message } };
}
