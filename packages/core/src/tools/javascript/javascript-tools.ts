import type { JsonValue, ToolCallItem, ToolOutputPart, TurnItem } from '@quire/protocol';
import { parseJsonObject } from '@quire/protocol';
import { confinementOf } from '../../approval/confinement.ts';
import { rejectedByUser } from '../../approval/rejected-by-user.ts';
import { truncateMiddle } from '../../history/truncate-output.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CellOutcome, JavaScriptKernel } from '../../ports/javascript-kernel.ts';
import { parseArguments } from '../call-arguments.ts';
import { effectiveTruncation } from '../effective-truncation.ts';
import { formatAbortedSeconds, type Tool, type ToolContext, type ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';
import { type CellInput, readCellInput } from './cell-input.ts';
import { javaScriptResetToolSpec, javaScriptToolSpec } from './tool-specs.ts';

/** `js_repl` and `js_repl_reset` over the kernel of a thread. */
export function createJavaScriptTools(kernel: JavaScriptKernel, clock: Clock): readonly Tool[] {
  return [new JavaScriptTool(kernel, clock), new JavaScriptResetTool(kernel)];
}

type JavaScriptItem = Extract<TurnItem, { kind: 'javascript' }>;

/** Runs code in the kernel, under the sandbox of the turn. Source: the peer. */
class JavaScriptTool implements Tool {
  readonly name = 'js_repl';
  readonly kind = 'javascript';
  readonly parallelSafe = false;
  readonly spec = javaScriptToolSpec;
  readonly #kernel: JavaScriptKernel;
  readonly #clock: Clock;

  constructor(kernel: JavaScriptKernel, clock: Clock) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const reading = readCellInput(call);
    if (reading.kind === 'invalid') return toolError(call, this.name, reading.message);
    const item: JavaScriptItem = {
      kind: 'javascript',
      id: call.call_id ?? this.name,
      code: reading.value.code,
      status: 'in-progress',
      output: undefined,
      durationMs: undefined,
    };
    context.emit({ kind: 'item-start', turnId: context.turnId, item });
    const refusal = await refusalOf(item, context);
    if (refusal !== undefined) {
      return { output: refusal, endItem: { ...item, output: refusal, status: 'failed' }, failed: true };
    }
    return this.#runCell(item, reading.value, context);
  }

  async #runCell(item: JavaScriptItem, input: CellInput, context: ToolContext): Promise<ToolResult> {
    const { settings, signal } = context;
    const startedAtMs = this.#clock.now();
    const nested = new NestedCalls(item.id, context);
    try {
      const outcome = await this.#kernel.run(input.code, {
        callTool: (name, args) => nested.call(name, args),
        cwd: settings.cwd,
        confinement: confinementOf(settings),
        timeoutMs: input.timeoutMs,
        signal,
      });
      return resultOf(outcome, { ...item, durationMs: this.#clock.now() - startedAtMs }, context);
    } catch (error) {
      if (!signal.aborted) throw error;
      const durationMs = this.#clock.now() - startedAtMs;
      const output = `aborted by user after ${formatAbortedSeconds(durationMs)}s`;
      return { output, endItem: { ...item, output, durationMs, status: 'failed' }, failed: true };
    }
  }
}

/**
 * Why a cell may not run; `undefined`: it may. The sandbox bounds what code can do, so that only the policy that trusts
 * nothing asks for it.
 */
async function refusalOf(item: JavaScriptItem, context: ToolContext): Promise<string | undefined> {
  if (context.settings.approvalPolicy !== 'untrusted') return undefined;
  const { approvals, turnId, signal } = context;
  const decision = await approvals.ask(
    { kind: 'tool', tool: 'js_repl', input: item.code, turnId, callId: item.id, reason: undefined },
    { keys: ['js_repl'], signal },
  );
  context.noteDecision?.(decision.kind, approvals.isUnattended ? 'settings' : 'person');
  if (decision.kind === 'aborted') context.interrupt();
  if (decision.kind !== 'denied' && decision.kind !== 'aborted') return undefined;
  return approvals.isUnattended
    ? 'js_repl refused: it needs an approval, and nobody is there'
    : rejectedByUser('js_repl', decision);
}

/** Text alone is a string; with images it is the text, if there is any, and then each of them. */
function resultOf(outcome: CellOutcome, item: JavaScriptItem, context: ToolContext): ToolResult {
  const { settings } = context;
  const parts = outcome.kind === 'failed' ? [outcome.output, outcome.error] : [outcome.output];
  const text = parts.filter((part) => part !== '').join('\n');
  const shown = truncateMiddle(text, effectiveTruncation(settings));
  const images = outcome.images.map(({ url, detail }): ToolOutputPart => {
    const isOffered = detail !== undefined && (detail !== 'original' || settings.tools.originalImages);
    return { type: 'input_image', image_url: url, ...(isOffered ? { detail } : {}) };
  });
  const output =
    images.length === 0 ? shown : shown === '' ? images : [{ type: 'input_text', text: shown } as const, ...images];
  if (outcome.kind === 'failed') {
    return { output, endItem: { ...item, output: text, status: 'failed' }, failed: true };
  }
  return { output, endItem: { ...item, output: text, status: 'completed' } };
}

/** The calls of other tools that one cell makes. */
class NestedCalls {
  readonly #callId: string;
  readonly #context: ToolContext;
  #count = 0;

  constructor(callId: string, context: ToolContext) {
    this.#callId = callId;
    this.#context = context;
  }

  /** Gives back the output item as the history would hold it. Never rejects. */
  async call(name: string, input: JsonValue): Promise<JsonValue> {
    this.#count += 1;
    const call = callOf(name, input, `${this.#callId}.${this.#count}`);
    const type = call.type === 'function_call' ? 'function_call_output' : 'custom_tool_call_output';
    const { output } = NOT_FROM_WITHIN.has(name)
      ? { output: `${name} can not be called from within js_repl` }
      : await this.#context.dispatch(call);
    // Parts that a tool makes are plain JSON under the wire's names.
    return { type, call_id: call.call_id, output: output as JsonValue };
  }
}

const NOT_FROM_WITHIN: ReadonlySet<string> = new Set(['js_repl', 'js_repl_reset']);

/** An object, or the text of one, is for a function; any other text is the input of a tool that takes free text. */
function callOf(
  name: string,
  input: JsonValue,
  callId: string,
): Extract<ToolCallItem, { type: 'function_call' | 'custom_tool_call' }> {
  if (typeof input !== 'string') {
    return { type: 'function_call', name, call_id: callId, arguments: JSON.stringify(input) };
  }
  if (parseJsonObject(input) !== undefined) return { type: 'function_call', name, call_id: callId, arguments: input };
  return { type: 'custom_tool_call', name, call_id: callId, input };
}

/** Ends the kernel; the next cell starts a fresh one. */
class JavaScriptResetTool implements Tool {
  readonly name = 'js_repl_reset';
  readonly kind = 'javascript';
  readonly parallelSafe = false;
  readonly spec = javaScriptResetToolSpec;
  readonly #kernel: JavaScriptKernel;

  constructor(kernel: JavaScriptKernel) {
    this.#kernel = kernel;
  }

  async run(call: ToolCallItem): Promise<ToolResult> {
    const parsed = parseArguments(call);
    if (parsed.kind === 'invalid') return toolError(call, this.name, parsed.message);
    await this.#kernel.reset();
    return { output: 'The JavaScript kernel was reset: nothing is declared any more.', endItem: undefined };
  }
}
