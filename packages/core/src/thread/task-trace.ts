import { ModelError, type TokenUsage, type TurnId, type TurnOutcome } from '@quire/protocol';
import type { Clock } from '../ports/clock.ts';
import type { ModelPort, ModelRequest, ModelTurn } from '../ports/model-port.ts';
import type { Span, Telemetry, TelemetryAttributes } from '../ports/telemetry.ts';
import { TaskError } from './task-error.ts';

/** What stands for a prompt that may not be sent. Source: the peer. */
const WITHHELD = '[REDACTED]';

/** What is recorded of one task: its span, and those of the requests and compactions in it. */
export class TaskTrace {
  readonly span: Span;
  readonly #telemetry: Telemetry;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #kind: string;
  readonly #startedAtMs: number;
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
    telemetry.event('codex.user_prompt', { prompt_length: text.length, prompt }, { span: this.span });
  }

  /** Requests of `work` stand below a span of its own. */
  async compaction<Result>(
    attributes: TelemetryAttributes,
    options: { readonly signal: AbortSignal; readonly outcome: (result: Result) => TelemetryAttributes },
    work: () => Promise<Result>,
  ): Promise<Result> {
    const outer = this.#current;
    const span = outer.startSpan('history.compact', { attributes });
    this.#current = span;
    this.#telemetry.count('codex.task.compact', attributes);
    try {
      const result = await work();
      span.end({ attributes: options.outcome(result) });
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
    const durationMs = this.#clock.now() - this.#startedAtMs;
    this.#telemetry.duration('codex.turn.e2e_duration_ms', durationMs, { kind: this.#kind, outcome: outcome.kind });
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
              if (ttftMs === undefined && (event.kind === 'text-delta' || event.kind === 'item-start')) {
                ttftMs = trace.#clock.now() - startedAtMs;
                trace.#telemetry.duration('codex.turn.ttft.duration_ms', ttftMs);
              } else if (event.kind === 'response-end') {
                const durationMs = trace.#clock.now() - startedAtMs;
                trace.#completed(span, { request, usage: event.usage, ttftMs, durationMs });
              }
            }
            yield batch;
          }
        } catch (error) {
          span.end({ error: errorKind(error, options.signal) });
          throw error;
        } finally {
          // Whoever leaves early does not want the rest. After an end it has no effect.
          span.end({ error: 'abandoned' });
        }
      },
    };
  }

  #completed(
    span: Span,
    answer: {
      readonly request: ModelRequest;
      readonly usage: TokenUsage | undefined;
      readonly ttftMs: number | undefined;
      readonly durationMs: number;
    },
  ): void {
    const { request, usage, ttftMs, durationMs } = answer;
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
        'event.kind': 'response.completed',
        duration_ms: durationMs,
        input_token_count: usage?.inputTokens,
        output_token_count: usage?.outputTokens,
        cached_token_count: usage?.cachedInputTokens,
        cache_write_token_count: usage?.cacheWriteInputTokens,
        reasoning_token_count: usage?.reasoningOutputTokens,
        tool_token_count: usage?.totalTokens,
        ttft_ms: ttftMs,
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
