import type { JsonObject } from '@quire/protocol';
import { eventPart, type Output, output } from './output.ts';
import type { AnswerContext, Headers, StreamAnswer, StreamPart } from './step.ts';

export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  /** Absent: not sent. */
  readonly cacheWriteInputTokens?: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
}

/** What a response reports when the script does not say. */
export const DEFAULT_USAGE: Usage = {
  inputTokens: 100,
  cachedInputTokens: 20,
  outputTokens: 10,
  reasoningOutputTokens: 4,
};

export interface CompletedOptions {
  /** `null` is sent as such; missing fields are 0. */
  readonly usage?: Partial<Usage> | null;
  /** `false` asks the client for another request in this turn. Absent: not sent. */
  readonly endTurn?: boolean;
}

export interface RespondOptions {
  /**
   * Response headers, such as `x-codex-turn-state`, `openai-model`, `x-request-id`. Over WebSocket, where a response
   * has none, those it knows are announced as events before the first one (see `announceHeaders`).
   */
  readonly headers?: Headers;
  readonly usage?: Partial<Usage> | null;
  readonly endTurn?: boolean;
  /** `resp_<request index>` when absent. */
  readonly responseId?: string;
  readonly lineEnding?: '\n' | '\r' | '\r\n';
  /** The last data of a chat stream, `[DONE]` when absent. `null`: none is sent. */
  readonly chatDone?: string | null;
}

export type RespondArguments = readonly Output[] | readonly [...Output[], RespondOptions];

/**
 * A response: `response.created`, the events of each output, `response.completed` with usage. If one of the outputs
 * is terminal (`completed`, `failed`, `incomplete`), no other end is added.
 */
export function respond(...outputsAndOptions: RespondArguments): StreamAnswer {
  const { outputs, options } = splitArguments(outputsAndOptions);
  const { usage, endTurn } = options;
  const ending = completed({
    ...(usage === undefined ? {} : { usage }),
    ...(endTurn === undefined ? {} : { endTurn }),
  });
  const closed = outputs.some((entry) => entry.isTerminal) ? outputs : [...outputs, ending];
  return streamAnswer([created(), ...closed], options);
}

/** A response of exactly these outputs: no `response.created`, no end unless given. */
export function respondExactly(...outputsAndOptions: RespondArguments): StreamAnswer {
  const { outputs, options } = splitArguments(outputsAndOptions);
  return streamAnswer(outputs, options);
}

/** The end of a response that went well. */
export function completed(options: CompletedOptions = {}): Output {
  const usage = options.usage === undefined ? DEFAULT_USAGE : options.usage;
  const endTurn = options.endTurn === undefined ? {} : { end_turn: options.endTurn };
  return terminal((responseId) => ({
    type: 'response.completed',
    response: { id: responseId, usage: usage === null ? null : usageToWire(usage), ...endTurn },
  }));
}

/** A failure the server reports inside the stream. */
export function failed(error: { readonly code?: string; readonly message?: string } & JsonObject): Output {
  return terminal((responseId) => ({
    type: 'response.failed',
    response: { id: responseId, status: 'failed', error },
  }));
}

/** A response that was cut off by a limit; `max_output_tokens` and `content_filter` are known reasons. */
export function incomplete(reason: string): Output {
  return terminal((responseId) => ({
    type: 'response.incomplete',
    response: { id: responseId, status: 'incomplete', incomplete_details: { reason } },
  }));
}

function created(): Output {
  return output((context) => [eventPart({ type: 'response.created', response: { id: context.responseId } })]);
}

function terminal(fields: (responseId: string) => JsonObject): Output {
  return output((context) => [eventPart(fields(context.responseId))], { isTerminal: true });
}

function usageToWire(usage: Partial<Usage>): JsonObject {
  const inputTokens = usage.inputTokens ?? 0;
  const outputTokens = usage.outputTokens ?? 0;
  return {
    input_tokens: inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      ...(usage.cacheWriteInputTokens === undefined ? {} : { cache_write_tokens: usage.cacheWriteInputTokens }),
    },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens ?? 0 },
    total_tokens: inputTokens + outputTokens,
  };
}

function splitArguments(entries: RespondArguments): { outputs: readonly Output[]; options: RespondOptions } {
  const outputs: Output[] = [];
  let options: RespondOptions = {};
  for (const entry of entries) {
    if ('kind' in entry) outputs.push(entry);
    else options = entry;
  }
  return { outputs, options };
}

function streamAnswer(outputs: readonly Output[], options: RespondOptions): StreamAnswer {
  return {
    kind: 'stream',
    headers: options.headers ?? {},
    lineEnding: options.lineEnding ?? '\n',
    chatDone: options.chatDone === null ? undefined : (options.chatDone ?? '[DONE]'),
    parts: (context) => joinParts(outputs, withResponseId(context, options.responseId)),
    delivery: {},
  };
}

function withResponseId(context: AnswerContext, responseId: string | undefined): AnswerContext {
  return responseId === undefined ? context : { responseId, nextItemId: (prefix) => context.nextItemId(prefix) };
}

function* joinParts(outputs: readonly Output[], context: AnswerContext): Generator<StreamPart> {
  let outputIndex = 0;
  for (const entry of outputs) {
    let holdsItem = false;
    for (const part of entry.parts(context, outputIndex)) {
      holdsItem ||= part.kind === 'event' && part.type === 'response.output_item.done';
      yield part;
    }
    if (holdsItem) outputIndex += 1;
  }
}
