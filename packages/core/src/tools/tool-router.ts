import type { JsonValue, ToolCallItem, ToolOutputBody } from '@quire/protocol';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { HookedCall, ToolHooks } from '../ports/tool-hooks.ts';
import { nameOf, textOf } from './call-parts.ts';
import { carriesPatch } from './command-tools/carries-patch.ts';
import { ReadWriteLock } from './read-write-lock.ts';
import { recordCall } from './record-call.ts';
import { formatAbortedSeconds, type Tool, type ToolContext, type ToolResult } from './tool.ts';

/** What the router is given of a turn; the way back into it is its own. */
export type CallContext = Omit<ToolContext, 'dispatch'>;

/** Serves a call when its turn has come. */
type InTurn = (tool: Tool, work: () => Promise<ToolResult>) => Promise<ToolResult>;

/** The one dispatcher: every call of the model passes here, and every call that a tool makes. */
export class ToolRouter {
  readonly #clock: Clock;
  readonly #hooks: ToolHooks | undefined;
  readonly #telemetry: Telemetry | undefined;
  readonly #lock = new ReadWriteLock();
  #tools: ReadonlyMap<string, Tool> = new Map();
  #aliases: ReadonlyMap<string, Tool> = new Map();
  #direct: ReadonlySet<string> | undefined;

  constructor(
    tools: readonly Tool[],
    ports: { readonly clock: Clock; readonly hooks?: ToolHooks; readonly telemetry?: Telemetry },
    direct?: ReadonlySet<string>,
  ) {
    this.#clock = ports.clock;
    this.#hooks = ports.hooks;
    this.#telemetry = ports.telemetry;
    this.useTools(tools, direct);
  }

  /**
   * From now on these. `direct`: the only ones that a model may call by itself, the others are for tools; absent: all. Calls that
   * run already are not touched. Of several with one name the first counts.
   */
  useTools(tools: readonly Tool[], direct?: ReadonlySet<string>): void {
    this.#direct = direct;
    const byName = new Map<string, Tool>();
    for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, tool);
    this.#tools = byName;
    this.#aliases = new Map(tools.flatMap((tool) => (tool.aliases ?? []).map((alias) => [alias, tool] as const)));
  }

  /** A call of this tool begins to arrive. */
  prepare(name: string): void {
    this.#tools.get(name)?.prepare?.();
  }

  /** Serves one call; unknown tools, faults of a tool and aborts become outputs. Never rejects. */
  async dispatch(call: ToolCallItem, context: CallContext): Promise<ToolResult> {
    const name = nameOf(call);
    if (this.#direct !== undefined && !this.#direct.has(name)) {
      return toolError(call, name, `${name} can only be called from within js_repl: \`codex.tool("${name}", …)\``);
    }
    return this.#serve(call, context, (tool, work) => this.#lock.run(tool.parallelSafe ? 'read' : 'write', work));
  }

  /** A call from within a tool, which holds the lock already. Its item is announced here. */
  async #dispatchNested(call: ToolCallItem, context: CallContext): Promise<ToolResult> {
    const result = await this.#serve(call, context, (_tool, work) => work());
    if (result.endItem !== undefined) {
      context.emit({ kind: 'item-end', turnId: context.turnId, item: result.endItem });
    }
    return result;
  }

  #serve(call: ToolCallItem, context: CallContext, inTurn: InTurn): Promise<ToolResult> {
    const { span } = context;
    const telemetry = this.#telemetry;
    if (telemetry === undefined || span === undefined) return this.#answer(call, context, inTurn);
    context.noteCall?.();
    return recordCall(
      { telemetry, clock: this.#clock, parent: span },
      { call, tool: this.#find(nameOf(call)) },
      context,
      (own) => this.#answer(call, own, inTurn),
    );
  }

  #find(name: string): Tool | undefined {
    return this.#tools.get(name) ?? this.#aliases.get(name);
  }

  async #answer(call: ToolCallItem, context: CallContext, inTurn: InTurn): Promise<ToolResult> {
    const name = nameOf(call);
    const tool = this.#find(name);
    if (tool === undefined) return unsupported(call, name);
    const startedAtMs = this.#clock.now();
    try {
      return await inTurn(tool, async () => {
        await context.beforeRun?.();
        context.signal.throwIfAborted();
        return this.#runHooked(tool, call, context);
      });
    } catch (error) {
      if (context.signal.aborted) return abortedResult(this.#clock.now() - startedAtMs);
      const reason = error instanceof Error ? error.message : String(error);
      return toolError(call, name, `tool ${name} failed: ${reason}`);
    }
  }

  async #runHooked(tool: Tool, call: ToolCallItem, context: CallContext): Promise<ToolResult> {
    const full: ToolContext = { ...context, dispatch: (nested) => this.#dispatchNested(nested, context) };
    const hooks = this.#hooks;
    if (hooks === undefined) return tool.run(call, full);
    const { signal } = context;
    const hooked = hookedCall(tool, call, context);
    const verdict = await hooks.before(hooked, { signal });
    if (verdict.kind === 'deny')
      return toolError(call, tool.name, `${tool.name} was denied by a hook: ${verdict.reason}`);
    const result = await tool.run(call, full);
    if (signal.aborted) return result;
    const succeeded = result.failed !== true;
    const { feedback } = await hooks.after({ ...hooked, output: textOf(result.output), succeeded }, { signal });
    return feedback === undefined ? result : { ...result, output: withFeedback(result.output, feedback) };
  }
}

function hookedCall(tool: Tool, call: ToolCallItem, context: CallContext): HookedCall {
  const input = inputOf(call);
  return {
    turnId: context.turnId,
    callId: call.call_id ?? tool.name,
    tool: nameOf(call),
    kind: tool.kind,
    input,
    cwd: context.settings.cwd,
    ...(tool.kind === 'command' && carriesPatch(input) ? { carriesPatch: true } : {}),
  };
}

function inputOf(call: ToolCallItem): JsonValue {
  if (call.type === 'local_shell_call') return call.action;
  if (call.type === 'custom_tool_call') return call.input;
  try {
    return JSON.parse(call.arguments) as JsonValue;
  } catch {
    return call.arguments; // the tool will say what is wrong with it
  }
}

function withFeedback(output: ToolOutputBody, feedback: string): ToolOutputBody {
  return typeof output === 'string' ? `${output}\n\n${feedback}` : [...output, { type: 'input_text', text: feedback }];
}

function abortedResult(durationMs: number): ToolResult {
  return { output: `aborted by user after ${formatAbortedSeconds(durationMs)}s`, endItem: undefined, failed: true };
}

function unsupported(call: ToolCallItem, name: string): ToolResult {
  const message =
    call.type === 'custom_tool_call' ? `unsupported custom tool call: ${name}` : `unsupported call: ${name}`;
  return toolError(call, name, message);
}

/** An output that tells the model what went wrong, shown to people as well. */
export function toolError(call: ToolCallItem, tool: string, message: string): ToolResult {
  return { output: message, endItem: { kind: 'tool-error', id: call.call_id ?? tool, tool, message }, failed: true };
}
