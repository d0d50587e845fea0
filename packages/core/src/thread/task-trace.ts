import { ModelError, type ModelEvent, type TokenUsage, type TurnId, type TurnOutcome } from '@quire/protocol';
import type { Clock } from '../ports/clock.ts';
import type { ModelPort, ModelRequest, ModelTurn } from '../ports/model-port.ts';
import { millisecondsText, type Span, type Telemetry, type TelemetryAttributes } from '../ports/telemetry.ts';
import type { ToolContext } from '../tools/tool.ts';
import { TaskError } from './task-error.ts';

/** What stands for a prompt that may not be sent. Source: the peer. */
const WITHHELD = '[REDACTED]';

/** Source: the peer, which tells of a failed answer under the same kind. */
const COMPLETION: TelemetryAttributes = { 'event.kind': 'response.completed' };

/** The peer tells turns with memories apart; there are none here. */
const NO_MEMORIES: TelemetryAttributes = { tmp_mem_enabled: false };

export interface CompactionOutcome {
  readonly outcome: string;
  /** Absent: nothing was made shorter. */
  readonly strategy: string | undefined;
}

/** What is recorded of one task: its span, and those of the requests and compactions in it. */
export class TaskTrace {
  readonly span: Span;
  readonly #telemetry: Telemetry;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #kind: string;
  readonly #startedAtMs: number;
  /** Of the whole task. Zero: nothing was told of it. */
  readonly #tokens = { input: 0, cached_input: 0, cache_write_input: 0, output: 0, reasoning_output: 0, total: 0 };
  #toolCalls = 0;
  #hasToken = false;
  #hasMessage = false;
  /** What requests stand below; requests and compactions of a task come one after the other. */
  #current: Span;

  constructor(
    telemetry: Telemetry,
    task: {
      readonly turnId: TurnId;
      readonly kind: string;
      readonly model: string;
      readonly clock: Pick<Clock, 'now'>;
    },
  ) {
    this.#telemetry = telemetry;
    this.#clock = task.clock;
    this.#kind = task.kind;
    this.#startedAtMs = task.clock.now();
    this.span = telemetry.startSpan('turn.run', {
      attributes: { 'turn.id': task.turnId, 'turn.kind': task.kind, 'gen_ai.request.model': task.model },
    });
    this.#current = this.span;
  }

  /** The same line with a span around every request, whose trace context the provider is told. */
  model(model: ModelPort): ModelPort {
    const warmUp = model.warmUp?.bind(model);
    const compact = model.compact?.bind(model);
    return {
      beginTurn: (identity) => this.#turn(model.beginTurn(identity)),
      close: () => model.close(),
      ...(warmUp === undefined ? {} : { warmUp }),
      ...(compact === undefined
        ? {}
        : {
            compact: async (request, options) => {
              const span = this.#startRequest(request);
              try {
                const items = await compact(request, { ...options, span });
                span.end();
                return items;
              } catch (error) {
                span.end({ error: errorKind(error, options.signal) });
                throw error;
              }
            },
          }),
    };
  }

  prompt(text: string): void {
    const telemetry = this.#telemetry;
    const prompt = telemetry.logsPrompts ? text : WITHHELD;
    telemetry.event('codex.user_prompt', { prompt_length: String(text.length), prompt }, { span: this.span });
  }

  /** What the context of its calls has of it. */
  get ofCalls(): Pick<ToolContext, 'span' | 'noteCall'> {
    return {
      span: this.span,
      noteCall: () => {
        this.#toolCalls += 1;
      },
    };
  }

  /** Requests of `work` stand below a span of its own. */
  async compaction<Result>(
    order: { readonly form: string; readonly isAutomatic: boolean },
    options: { readonly signal: AbortSignal; readonly outcome: (result: Result) => CompactionOutcome },
    work: () => Promise<Result>,
  ): Promise<Result> {
    const outer = this.#current;
    const { form, isAutomatic } = order;
    const span = outer.startSpan('history.compact', { attributes: { form, automatic: isAutomatic } });
    this.#current = span;
    try {
      const result = await work();
      const { outcome, strategy } = options.outcome(result);
      span.end({ attributes: { outcome, strategy } });
      if (strategy !== undefined) {
        const type = strategy === 'endpoint' || strategy === 'trigger' ? 'remote' : 'local';
        this.#telemetry.count('codex.task.compact', { type, manual: !isAutomatic });
      }
      return result;
    } catch (error) {
      span.end({ error: errorKind(error, options.signal) });
      throw error;
    } finally {
      this.#current = outer;
    }
  }

  end(outcome: TurnOutcome): void {
    const error = outcome.kind === 'failed' ? outcome.failure.code : undefined;
    this.span.end({ error, attributes: { 'turn.outcome': outcome.kind } });
    const telemetry = this.#telemetry;
    telemetry.count('quire.turn', { kind: this.#kind, outcome: outcome.kind });
    telemetry.duration('codex.turn.e2e_duration_ms', this.#clock.now() - this.#startedAtMs);
    telemetry.amount('codex.turn.tool.call', this.#toolCalls, NO_MEMORIES);
    for (const [type, tokens] of Object.entries(this.#tokens)) {
      telemetry.amount('codex.turn.token_usage', tokens, { token_type: type, ...NO_MEMORIES });
    }
    telemetry.finished();
  }

  #startRequest(request: ModelRequest): Span {
    return this.#current.startSpan('model.request', {
      isRemoteCall: true,
      attributes: {
        'gen_ai.request.model': request.model,
        'model.reasoning_effort': request.reasoning?.effort,
        'model.input_items': request.input.length,
        'model.tools': request.tools.length,
      },
    });
  }

  #turn(turn: ModelTurn): ModelTurn {
    const trace = this;
    return {
      async *stream(request, options) {
        const span = trace.#startRequest(request);
        const startedAtMs = trace.#clock.now();
        let ttftMs: number | undefined;
        try {
          for await (const batch of turn.stream(request, { ...options, span })) {
            for (const event of batch) {
              if (event.kind === 'text-delta' || event.kind === 'item-start') {
                ttftMs ??= trace.#clock.now() - startedAtMs;
                if (!trace.#hasMessage) trace.#noteOutput(event);
              } else if (event.kind === 'response-end') {
                trace.#completed(span, { request, usage: event.usage, ttftMs });
              }
            }
            yield batch;
          }
        } catch (error) {
          const kind = errorKind(error, options.signal);
          span.end({ error: kind });
          trace.#telemetry.event('codex.sse_event', { ...COMPLETION, 'error.message': kind }, { span });
          throw error;
        } finally {
          // Whoever leaves early does not want the rest. After an end it has no effect.
          span.end({ error: 'abandoned' });
        }
      },
    };
  }

  /** How long a person waited for the first sign, and for the first words. */
  #noteOutput(event: Extract<ModelEvent, { readonly kind: 'text-delta' | 'item-start' }>): void {
    const telemetry = this.#telemetry;
    const sinceStartMs = this.#clock.now() - this.#startedAtMs;
    if (!this.#hasToken) {
      this.#hasToken = true;
      telemetry.duration('codex.turn.ttft.duration_ms', sinceStartMs);
      telemetry.event('codex.turn_ttft', { duration_ms: millisecondsText(sinceStartMs) }, { span: this.span });
    }
    if (event.kind !== 'text-delta' && event.item.type !== 'message') return;
    this.#hasMessage = true;
    telemetry.duration('codex.turn.ttfm.duration_ms', sinceStartMs);
  }

  #addTokens(usage: TokenUsage): void {
    const tokens = this.#tokens;
    tokens.input += usage.inputTokens;
    tokens.cached_input += usage.cachedInputTokens;
    tokens.cache_write_input += usage.cacheWriteInputTokens ?? 0;
    tokens.output += usage.outputTokens;
    tokens.reasoning_output += usage.reasoningOutputTokens;
    tokens.total += usage.totalTokens;
  }

  #completed(
    span: Span,
    answer: {
      readonly request: ModelRequest;
      readonly usage: TokenUsage | undefined;
      readonly ttftMs: number | undefined;
    },
  ): void {
    const { request, usage, ttftMs } = answer;
    if (usage !== undefined) this.#addTokens(usage);
    span.end({
      attributes: {
        'gen_ai.usage.input_tokens': usage?.inputTokens,
        'gen_ai.usage.output_tokens': usage?.outputTokens,
        'model.cached_input_tokens': usage?.cachedInputTokens,
        'model.reasoning_output_tokens': usage?.reasoningOutputTokens,
        'model.time_to_first_token_ms': ttftMs,
      },
    });
    this.#telemetry.event(
      'codex.sse_event',
      {
        ...COMPLETION,
        input_token_count: usage && String(usage.inputTokens),
        output_token_count: usage && String(usage.outputTokens),
        cached_token_count: usage?.cachedInputTokens,
        cache_write_token_count: usage && (usage.cacheWriteInputTokens ?? 0),
        reasoning_token_count: usage?.reasoningOutputTokens,
        tool_token_count: usage && String(usage.totalTokens),
        ttft_ms: ttftMs === undefined ? undefined : Math.round(ttftMs),
        model_reasoning_effort: request.reasoning?.effort,
      },
      { span },
    );
  }
}

/** The kind of a failure as a display value; never its message, which may hold what a server said. */
function errorKind(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'aborted';
  return error instanceof ModelError || error instanceof TaskError ? error.code : 'internal';
}
