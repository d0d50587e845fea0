import type { JsonObject, ToolCallItem, ToolOutputBody, ToolOutputPart, TurnItem } from '@quire/protocol';
import { rejectedByUser } from '../../approval/rejected-by-user.ts';
import { withinTime } from '../../compaction/within-time.ts';
import { imageSize } from '../../history/image-size.ts';
import type { Clock } from '../../ports/clock.ts';
import { parseArguments } from '../call-arguments.ts';
import { formatAbortedSeconds, type Tool, type ToolContext, type ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';
import type { CheckedDefinition, DynamicToolContent } from './dynamic-tool-definition.ts';

type DynamicItem = Extract<TurnItem, { kind: 'dynamic-tool-call' }>;

/** Stands for an output of nothing, which models take for a failure. */
const NO_OUTPUT = '(no output)';

/** A function of the embedding program, served like any other tool. */
export class DynamicTool implements Tool {
  readonly name: string;
  readonly kind = 'dynamic';
  readonly parallelSafe: boolean;
  readonly spec: NonNullable<Tool['spec']>;
  readonly #definition: CheckedDefinition;
  readonly #clock: Clock;

  constructor(definition: CheckedDefinition, clock: Clock) {
    const { name, description, inputSchema, parallelSafe } = definition;
    this.#definition = definition;
    this.#clock = clock;
    this.name = name;
    this.parallelSafe = parallelSafe;
    this.spec = { type: 'function', name, description, strict: false, parameters: inputSchema };
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    if (parsed.kind === 'invalid') return toolError(call, this.name, parsed.message);
    const input = parsed.value;
    const problems = this.#definition.check(input);
    if (problems.length > 0) {
      return toolError(call, this.name, `arguments of ${this.name} do not fit its schema: ${problems.join('; ')}`);
    }
    const item = startedItem(call.call_id ?? this.name, this.name, input);
    context.emit({ kind: 'item-start', turnId: context.turnId, item });
    const refusal = await this.#refusal(item.id, input, context);
    if (refusal !== undefined) return failed(item, refusal);
    return this.#runNow(item, input, context);
  }

  /** Why it may not run; `undefined`: it may. */
  async #refusal(callId: string, input: JsonObject, context: ToolContext): Promise<string | undefined> {
    if (!this.#definition.needsApproval) return undefined;
    const { approvals, signal, turnId } = context;
    const request = { kind: 'tool', turnId, callId, reason: undefined, tool: this.name, input } as const;
    const decision = await approvals.ask(request, { keys: [`dynamic:${this.name}`], signal });
    context.noteDecision?.(decision.kind, approvals.isUnattended ? 'settings' : 'person');
    if (decision.kind === 'aborted') context.interrupt();
    if (decision.kind !== 'denied' && decision.kind !== 'aborted') return undefined;
    return approvals.isUnattended
      ? 'tool call refused: it needs an approval, and nobody is there'
      : rejectedByUser('tool call', decision);
  }

  async #runNow(item: DynamicItem, input: JsonObject, context: ToolContext): Promise<ToolResult> {
    const { run, timeoutMs } = this.#definition;
    const startedAtMs = this.#clock.now();
    const timed = (): DynamicItem => ({ ...item, durationMs: this.#clock.now() - startedAtMs });
    try {
      const value = await withinTime(async (signal) => run(input, { signal, callId: item.id }), {
        timeMs: timeoutMs,
        clock: this.#clock,
        signal: context.signal,
      });
      const output = outputOf(value);
      return { output, endItem: { ...timed(), status: 'completed', output: shownText(output) } };
    } catch (error) {
      const ended = timed();
      if (context.signal.aborted) {
        return failed(ended, `aborted by user after ${formatAbortedSeconds(ended.durationMs ?? 0)}s`);
      }
      return failed(ended, `${this.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function startedItem(id: string, tool: string, input: JsonObject): DynamicItem {
  return {
    kind: 'dynamic-tool-call',
    id,
    tool,
    arguments: input,
    status: 'in-progress',
    output: undefined,
    durationMs: undefined,
  };
}

function failed(item: DynamicItem, output: string): ToolResult {
  return { output, endItem: { ...item, status: 'failed', output }, failed: true };
}

/** The program may be plain JavaScript, so its answer is looked at. */
function outputOf(value: unknown): ToolOutputBody {
  if (value === undefined || value === '') return NO_OUTPUT;
  if (typeof value === 'string') return wellFormed(value);
  if (!Array.isArray(value)) throw new Error('it gave back something that is neither text nor a list of parts');
  const parts = (value as readonly unknown[]).map((part) => partOf(part as Partial<DynamicToolContent> | null));
  return parts.length === 0 ? NO_OUTPUT : parts;
}

/** A picture that nobody could read would make the provider refuse every request from here on. */
function partOf(part: Partial<DynamicToolContent> | null): ToolOutputPart {
  if (part?.type === 'text' && typeof part.text === 'string')
    return { type: 'input_text', text: wellFormed(part.text) };
  if (part?.type !== 'image' || typeof part.url !== 'string') {
    throw new Error('it gave back a part that is neither { type: "text", text } nor { type: "image", url }');
  }
  const { url } = part;
  if (!isReadable(url)) throw new Error('it gave back a picture that is no PNG, JPEG, WebP or GIF file');
  return { type: 'input_image', image_url: url };
}

function isReadable(url: string): boolean {
  if (/^https?:\/\//.test(url)) return true;
  const inline = /^data:image\/[\w.+-]+;base64,/i.exec(url);
  return inline !== null && imageSize(url, inline[0].length) !== undefined;
}

/** Half of a character can not be sent. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** What clients show of an output. */
function shownText(output: ToolOutputBody): string {
  if (typeof output === 'string') return output;
  return output.map((part) => (part.type === 'input_text' ? part.text : '[picture]')).join('\n');
}
