import {
  type JsonObject,
  ModelError,
  type ModelErrorCode,
  type PlanStep,
  type ThreadEvent,
  type ThreadId,
  type ThreadTokenUsage,
  type ToolSpec,
  type TurnContextLine,
  type TurnId,
  type TurnOutcome,
  type UserInput,
} from '@quire/protocol';
import { turnAbortedMessage } from '../context/fragments.ts';
import { contextMessages, turnContextLine } from '../context/initial-context.ts';
import { inputText, userMessage } from '../context/user-message.ts';
import { History } from '../history/history.ts';
import { effectiveContextWindow } from '../model/effective-window.ts';
import type { Clock, Entropy } from '../ports/clock.ts';
import type { CommandRunner } from '../ports/command-runner.ts';
import type { ModelPort } from '../ports/model-port.ts';
import type { PatchFiles } from '../ports/patch-files.ts';
import type { RolloutWriter } from '../ports/rollout-writer.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import { ToolRouter } from '../tools/tool-router.ts';
import { createTools, hostedTools } from '../tools/tool-set.ts';
import { buildModelRequest } from './model-request.ts';
import type { ThreadSeed } from './reconstruct-thread.ts';
import { taskComplete, taskStarted, tokenCount, turnAborted, userMessageEvent } from './rollout-events.ts';
import { Sampling } from './sampling.ts';
import type { ThreadSettings } from './settings.ts';
import { ThreadRecord } from './thread-record.ts';
import { TurnDiff } from './turn-diff.ts';
import { TurnEvents } from './turn-events.ts';
import { turnMetadata } from './turn-metadata.ts';
import { TurnScope } from './turn-scope.ts';
import { UsageMeter } from './usage-meter.ts';

export interface ThreadPorts {
  readonly model: ModelPort;
  readonly runner: CommandRunner;
  readonly files: PatchFiles;
  readonly rollout: RolloutWriter;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

export interface TurnRequest {
  readonly input: readonly UserInput[];
  readonly signal: AbortSignal;
  readonly outputSchema: JsonObject | undefined;
  /** Called synchronously for each event, in order. Must not throw. Not called after `runTurn` settled. */
  readonly onEvent: (event: ThreadEvent) => void;
}

/** Thrown when a turn is asked for while another one runs. */
export class ThreadBusyError extends Error {
  override readonly name = 'ThreadBusyError';
}

/**
 * One conversation: owns its history, the context baseline and the rollout writer. One turn at a time.
 */
export class Thread {
  readonly id: ThreadId;
  readonly settings: ThreadSettings;
  readonly #ports: ThreadPorts;
  readonly #history: History;
  readonly #usage: UsageMeter;
  #baseline: TurnContextLine | undefined;
  #running: { readonly steers: (readonly UserInput[])[] } | undefined;

  constructor(parts: {
    readonly id: ThreadId;
    readonly settings: ThreadSettings;
    readonly ports: ThreadPorts;
    readonly seed: ThreadSeed | undefined;
  }) {
    this.id = parts.id;
    this.settings = parts.settings;
    this.#ports = parts.ports;
    this.#history = new History(parts.seed?.history);
    this.#baseline = parts.seed?.baseline;
    this.#usage = new UsageMeter(parts.seed?.usage, effectiveContextWindow(parts.settings.model));
  }

  get usage(): ThreadTokenUsage | undefined {
    return this.#usage.current;
  }

  /** Queues input for the running turn; it is recorded right before the next request. `false`: none runs. */
  steer(input: readonly UserInput[]): boolean {
    this.#running?.steers.push(input);
    return this.#running !== undefined;
  }

  /** Gets the line to the model ready in the background. Nothing that a person said is sent; never fails. */
  warmUp(): void {
    const tools = createTools(this.settings, this.#ports, { diff: new TurnDiff(), onPlan: () => undefined });
    const specs = [...tools.map((tool) => tool.spec), ...hostedTools(this.settings)];
    const request = buildModelRequest(this.settings, new History(), { tools: specs, outputSchema: undefined });
    this.#ports.model.warmUp?.({ request });
  }

  /**
   * Runs one turn to its end. Never rejects for what happens in the turn: the outcome, which is also the
   * last event, says how it ended. Aborting `signal` interrupts the turn and settles every open call.
   */
  async runTurn(request: TurnRequest): Promise<TurnOutcome> {
    if (this.#running !== undefined) throw new ThreadBusyError('a turn is already running in this thread');
    this.#running = { steers: [] };
    const turnId = this.#ports.entropy.uuid() as TurnId;
    const events = new TurnEvents(turnId, request.onEvent);
    const record = new ThreadRecord(this.#history, this.#ports.rollout, (error) => {
      events.warn(`The record of this thread can not be written, so it may not be resumable: ${error.message}`);
    });
    const plan = new TurnPlan(events);
    try {
      record.write([taskStarted(turnId, effectiveContextWindow(this.settings.model))]);
      events.emit({ kind: 'turn-start', turnId });
      return this.#end(events, record, await this.#attempt({ request, events, record, plan }));
    } finally {
      this.#running = undefined;
    }
  }

  async #attempt(turn: TurnParts): Promise<TurnOutcome> {
    try {
      return { kind: 'completed', lastAgentMessage: await this.#work(turn) };
    } catch (error) {
      if (turn.request.signal.aborted) return { kind: 'interrupted' };
      if (error instanceof ModelError && error.code === 'context-window-exceeded') this.#fillWindow(turn.record);
      return { kind: 'failed', failure: failureOf(error) };
    }
  }

  /** The server refused the conversation as too long: whatever was counted before, the window is full. */
  #fillWindow(record: ThreadRecord): void {
    if (this.#usage.fill()) record.write([tokenCount(this.#usage.current, /* limits */ undefined)]);
  }

  /** Text of the last agent message. */
  async #work(turn: TurnParts): Promise<string | undefined> {
    const { request, events, record } = turn;
    const { signal } = request;
    signal.throwIfAborted();
    this.#recordContext(record, events.turnId, request);
    this.#recordInput(record, events, request.input);
    const diff = new TurnDiff();
    const tools = createTools(this.settings, this.#ports, { diff, onPlan: (steps) => turn.plan.show(steps) });
    const scope = new TurnScope({
      settings: this.settings,
      events,
      record,
      router: new ToolRouter(tools, this.#ports.clock),
      context: { turnId: events.turnId, settings: this.settings, signal, emit: events.emit },
      modelTurn: this.#ports.model.beginTurn({
        turnId: events.turnId,
        metadata: turnMetadata(events.turnId, this.settings),
      }),
      ports: this.#ports,
      usage: this.#usage,
      diff,
    });
    const specs = [...scope.router.specs, ...hostedTools(this.settings)];
    try {
      return await this.#sampleUntilDone(scope, specs, request);
    } finally {
      scope.showReceipts();
    }
  }

  async #sampleUntilDone(
    scope: TurnScope,
    tools: readonly ToolSpec[],
    { signal, outputSchema }: TurnRequest,
  ): Promise<string | undefined> {
    for (;;) {
      const result = await new Sampling(scope).run(() =>
        buildModelRequest(this.settings, this.#history, { tools, outputSchema }),
      );
      signal.throwIfAborted();
      const steered = this.#recordSteers(scope.record, scope.events);
      if (!result.needsFollowUp && !steered) return result.lastAgentMessage;
    }
  }

  #recordContext(record: ThreadRecord, turnId: TurnId, request: TurnRequest): void {
    const context = turnContextLine(this.settings, { turnId, outputSchema: request.outputSchema });
    const known = { baseline: this.#baseline, history: this.#history.items };
    record.add(contextMessages(this.settings, known), effectiveTruncation(this.settings), [
      { type: 'turn_context', payload: context },
    ]);
    this.#baseline = context;
  }

  #recordInput(record: ThreadRecord, events: TurnEvents, input: readonly UserInput[]): void {
    const text = inputText(input);
    const images = input.filter((part) => part.kind === 'image');
    record.add([userMessage(input)], effectiveTruncation(this.settings), [userMessageEvent(text, images)]);
    events.end({ kind: 'user-message', id: this.#ports.entropy.uuid(), text, imageCount: images.length });
  }

  #recordSteers(record: ThreadRecord, events: TurnEvents): boolean {
    const steers = this.#running?.steers.splice(0) ?? [];
    for (const input of steers) this.#recordInput(record, events, input);
    return steers.length > 0;
  }

  /** Settles, writes the end of the turn and, last of all, announces it. */
  #end(events: TurnEvents, record: ThreadRecord, outcome: TurnOutcome): TurnOutcome {
    this.#recordSteers(record, events);
    events.settle();
    if (outcome.kind === 'interrupted') {
      record.add([turnAbortedMessage()], effectiveTruncation(this.settings), [turnAborted(events.turnId)]);
    } else {
      const lastAgentMessage = outcome.kind === 'completed' ? outcome.lastAgentMessage : undefined;
      record.write([taskComplete(events.turnId, lastAgentMessage)]);
    }
    this.#running = undefined;
    events.emit({ kind: 'turn-end', turnId: events.turnId, outcome });
    return outcome;
  }
}

interface TurnParts {
  readonly request: TurnRequest;
  readonly events: TurnEvents;
  readonly record: ThreadRecord;
  readonly plan: TurnPlan;
}

/** The plan of one turn as an item: started when first shown, ended with the turn. */
class TurnPlan {
  readonly #events: TurnEvents;
  #shown = false;

  constructor(events: TurnEvents) {
    this.#events = events;
  }

  show(steps: readonly PlanStep[]): void {
    const { turnId } = this.#events;
    const item = { kind: 'plan', id: `${turnId}-plan`, steps } as const;
    this.#events.emit({ kind: this.#shown ? 'item-update' : 'item-start', turnId, item });
    this.#shown = true;
  }
}

/** What a person can do where the server's words do not say it. */
const REMEDIES: ReadonlyMap<ModelErrorCode, string> = new Map([
  ['context-window-exceeded', "the conversation no longer fits the model's context window: start a new thread"],
  ['invalid-image', 'the model refused an image: start again without it'],
]);

function failureOf(error: unknown): Extract<TurnOutcome, { kind: 'failed' }>['failure'] {
  if (error instanceof ModelError) {
    const remedy = REMEDIES.get(error.code);
    const message = remedy === undefined ? error.message : `${error.message} (${remedy})`;
    return { code: error.code, message, retryable: error.retryable };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message: `internal error: ${message}`, retryable: false };
}
