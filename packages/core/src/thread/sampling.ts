import {
  assertNever,
  type ModelError,
  type ModelEvent,
  type ResponseItem,
  type RolloutLine,
  type TokenUsage,
  type ToolCallItem,
  type TurnItem,
} from '@quire/protocol';
import { backoffDelayMs, isWorthRetrying } from '../backoff.ts';
import { isToolCall } from '../history/normalize-history.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import { agentMessageEvent, agentReasoningEvent } from './rollout-events.ts';
import { ToolCalls } from './tool-calls.ts';
import { messageText, turnItemOf } from './turn-items.ts';
import type { TurnScope } from './turn-scope.ts';

export interface SamplingResult {
  /** The model wants to go on: it called tools, or the server said that the turn is not over. */
  readonly needsFollowUp: boolean;
  /** Text of the last assistant message of this request. */
  readonly lastAgentMessage: string | undefined;
}

/**
 * One sampling request with its retries: streams the answer, records each item the moment it is whole,
 * starts tools meanwhile and leaves history ready for the next request.
 */
export class Sampling {
  readonly #turn: TurnScope;
  readonly #toolCalls: ToolCalls;
  /** JSON of items recorded by earlier attempts of this request; a server that repeats one is not obeyed twice. */
  #earlier = new Set<string>();
  #current = new Set<string>();
  #activeItemId: string | undefined;
  #calledTools = false;
  #serverWantsMore = false;
  #lastAgentMessage: string | undefined;
  #usage: TokenUsage | undefined;

  constructor(turn: TurnScope) {
    this.#turn = turn;
    this.#toolCalls = new ToolCalls(turn);
  }

  /** Throws `ModelError` when retries are used up, or the abort reason. History is whole in any case. */
  async run(buildRequest: () => ModelRequest): Promise<SamplingResult> {
    const { context, settings } = this.#turn;
    for (let attempt = 1; ; attempt += 1) {
      const failure = await this.#attempt(buildRequest());
      context.signal.throwIfAborted();
      if (failure === undefined) break;
      if (!isWorthRetrying(failure) || attempt > settings.streamMaxRetries) throw failure;
      await this.#pause(failure, attempt);
    }
    return {
      needsFollowUp: this.#calledTools || this.#serverWantsMore,
      lastAgentMessage: this.#lastAgentMessage,
    };
  }

  /** Gives back why the attempt failed; whatever it produced is settled by then. */
  async #attempt(request: ModelRequest): Promise<unknown> {
    this.#beginAttempt();
    let failure: unknown;
    try {
      await this.#consume(request);
    } catch (error) {
      failure = error ?? new Error('the model stream failed without a reason');
    }
    const hadTools = await this.#toolCalls.settle(this.#turn.ports.clock);
    this.#turn.endSampling(this.#usage);
    if (hadTools) await this.#turn.afterTools();
    this.#turn.events.forgetModelItems();
    return failure;
  }

  #beginAttempt(): void {
    for (const identity of this.#current) this.#earlier.add(identity);
    this.#current = new Set();
    this.#activeItemId = undefined;
    this.#calledTools = false;
    this.#serverWantsMore = false;
    this.#usage = undefined;
  }

  async #consume(request: ModelRequest): Promise<void> {
    const { modelTurn, context } = this.#turn;
    for await (const batch of modelTurn.stream(request, { signal: context.signal })) {
      for (const event of batch) this.#handle(event);
    }
  }

  async #pause(failure: ModelError, attempt: number): Promise<void> {
    const { events, ports, settings, context, notices } = this.#turn;
    const delayMs = failure.retryAfterMs ?? backoffDelayMs(attempt, ports.entropy.random());
    notices.noteRepetition();
    events.emit({
      kind: 'stream-retry',
      turnId: events.turnId,
      attempt,
      maxAttempts: settings.streamMaxRetries,
      delayMs,
      cause: { code: failure.code, message: failure.message, retryable: true },
    });
    await ports.clock.sleep(delayMs, { signal: context.signal });
  }

  #handle(event: ModelEvent): void {
    switch (event.kind) {
      case 'text-delta':
        this.#textDelta(event.itemId, event.delta);
        return;
      case 'reasoning-summary-delta':
        this.#reasoningDelta(event.itemId, event.delta, event.summaryIndex);
        return;
      case 'item-start':
        this.#startItem(event.item);
        return;
      case 'item-end':
        this.#endItem(event.item);
        return;
      case 'response-end':
        this.#serverWantsMore = event.endTurn === false;
        this.#usage = event.usage;
        return;
      case 'rate-limits':
      case 'server-model':
      case 'transport-fallback':
      case 'model-silent':
      case 'receipt':
        this.#turn.notices.note(event);
        return;
      case 'models-etag':
        this.#turn.ports.models?.noteEtag(event.etag);
        return;
      case 'server-reasoning-included':
        this.#turn.noteReasoningIncluded();
        return;
      case 'response-start':
      case 'reasoning-summary-part-start':
      case 'reasoning-summary-end':
      case 'reasoning-content-delta':
      case 'tool-input-delta':
      case 'unknown':
        // No effect on the turn.
        return;
      default:
        assertNever(event, 'Sampling.handle');
    }
  }

  #startItem(item: ResponseItem): void {
    if (isToolCall(item)) {
      // A command is on its way: while its arguments arrive, what commands need gets ready.
      if (item.type === 'function_call') this.#turn.router.prepare(item.name);
      return;
    }
    const id = this.#itemId(item) ?? this.#turn.ports.entropy.uuid();
    const started = turnItemOf(item, id);
    if (started === undefined) return;
    this.#activeItemId = id;
    this.#turn.events.start(started);
  }

  #textDelta(itemId: string | undefined, delta: string): void {
    const id = this.#activeItemId ?? itemId;
    if (id === undefined) return;
    const { events } = this.#turn;
    events.emit({ kind: 'text-delta', turnId: events.turnId, itemId: id, delta });
  }

  #reasoningDelta(itemId: string | undefined, delta: string, summaryIndex: number): void {
    const id = this.#activeItemId ?? itemId;
    if (id === undefined) return;
    const { events } = this.#turn;
    events.emit({ kind: 'reasoning-delta', turnId: events.turnId, itemId: id, delta, summaryIndex });
  }

  #endItem(item: ResponseItem): void {
    const identity = JSON.stringify(item);
    if (isToolCall(item)) this.#calledTools = true;
    if (this.#earlier.has(identity)) {
      this.#activeItemId = undefined;
      return;
    }
    this.#current.add(identity);
    if (isToolCall(item)) this.#startTool(item);
    else this.#recordModelItem(item);
    this.#activeItemId = undefined;
  }

  #startTool(received: ToolCallItem): void {
    const { record, settings } = this.#turn;
    const call = record.history.withUniqueCallId(received);
    record.add([call], effectiveTruncation(settings));
    this.#toolCalls.start(call, call.call_id);
  }

  #recordModelItem(item: ResponseItem): void {
    const { record, settings, events, ports } = this.#turn;
    const turnItem = turnItemOf(item, this.#itemId(item) ?? this.#activeItemId ?? ports.entropy.uuid());
    record.add([item], effectiveTruncation(settings), persistedEvents(turnItem));
    if (item.type === 'message' && item.role === 'assistant') this.#lastAgentMessage = messageText(item);
    if (turnItem !== undefined) events.end(turnItem);
  }

  #itemId(item: ResponseItem): string | undefined {
    return 'id' in item && item.id !== '' ? item.id : undefined;
  }
}

function persistedEvents(item: TurnItem | undefined): readonly RolloutLine[] {
  if (item?.kind === 'agent-message') return [agentMessageEvent(item.text)];
  if (item?.kind === 'reasoning' && item.summary.length > 0) return [agentReasoningEvent(item.summary.join('\n'))];
  return [];
}
