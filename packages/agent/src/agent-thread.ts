import type { CommandRunner, ModelPort, RolloutWriter, TaskRequest, Thread, ThreadSeed } from '@quire/core';
import type { ReviewResult, ThreadEvent, TurnItem, TurnOutcome, UserInput } from '@quire/protocol';
import { AgentError, TurnFailedError } from './agent-error.ts';
import type {
  AgentThread,
  ReviewTarget,
  Submission,
  TaskOptions,
  ThreadFacts,
  TurnOptions,
  TurnResult,
} from './api.ts';
import { asAgentError } from './convert-error.ts';
import { EventBuffer } from './event-buffer.ts';
import { changeSettings, currentSettings } from './ground-settings.ts';
import type { NoticeBoard } from './notice-board.ts';
import type { RefusalMemory } from './remember-refusals.ts';
import type { SnapshotPruning } from './snapshot-pruning.ts';
import type { ThreadEquipment } from './thread-equipment.ts';
import type { AgentsOfThread, ThreadGround, ThreadSource } from './thread-ground.ts';
import type { TurnNotifier } from './turn-notifier.ts';

/** What a thread holds open and gives back at `close`, and what it was made of. */
export interface ThreadResources {
  readonly model: ModelPort;
  readonly runner: CommandRunner;
  readonly rollout: RolloutWriter;
  /** Absent: none are taken. */
  readonly pruning: SnapshotPruning | undefined;
  /** Absent: it starts no agents of its own. */
  readonly agents: AgentsOfThread | undefined;
  readonly notices: NoticeBoard;
  readonly equipment: ThreadEquipment;
  /** Absent: no program is told of turns. */
  readonly notifier: TurnNotifier | undefined;
  /** Absent: nothing of refused credentials is kept. */
  readonly refusals: RefusalMemory | undefined;
  readonly opener: ThreadSource;
  readonly ground: ThreadGround;
  /** Reads the thread again from its record. */
  readonly readSeed: (signal: AbortSignal) => Promise<ThreadSeed>;
}

type PushOptions = TurnOptions & { readonly onEvent: (event: ThreadEvent) => void };

export class OpenThread implements AgentThread {
  readonly facts: ThreadFacts;
  readonly #thread: Thread;
  readonly #resources: ThreadResources;
  readonly #closing = new AbortController();
  #task: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(thread: Thread, facts: ThreadFacts, resources: ThreadResources) {
    this.#thread = thread;
    this.facts = facts;
    this.#resources = resources;
  }

  get contextLeftPercent(): number | undefined {
    return this.#thread.contextLeftPercent;
  }

  async run(submission: Submission, options: TurnOptions = {}): Promise<TurnResult> {
    const items: TurnItem[] = [];
    let finalResponse = '';
    await this.#runWhole(submission, options, (item) => {
      items.push(item);
      if (item.kind === 'agent-message') finalResponse = item.text;
    });
    return { items, finalResponse, usage: this.#thread.usage };
  }

  async *runStreamed(submission: Submission, options: TurnOptions = {}): AsyncGenerator<ThreadEvent, void, undefined> {
    const leaving = new AbortController();
    const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal]);
    const buffer = new EventBuffer();
    const task = this.runPushed(submission, { ...options, signal, onEvent: buffer.push }).then(
      () => buffer.end(),
      (reason: unknown) => buffer.fail(reason),
    );
    try {
      yield* buffer.drain();
    } finally {
      leaving.abort(new AgentError('closed', 'the reader left the turn'));
      await task;
    }
  }

  runPushed(submission: Submission, options: PushOptions): Promise<void> {
    return this.#exclusively(async () => {
      await this.#start(submission, options);
    });
  }

  steer(input: string | readonly UserInput[]): boolean {
    return this.#thread.steer(normalizeInput(input));
  }

  async compact(options: TaskOptions = {}): Promise<void> {
    await this.#runWhole({ task: 'compact' }, options);
  }

  async undo(options: TaskOptions = {}): Promise<string> {
    const outcome = await this.#runWhole({ task: 'undo' }, options);
    return outcome.lastAgentMessage ?? '';
  }

  async runShell(script: string, options: TaskOptions = {}): Promise<Extract<TurnItem, { kind: 'command-execution' }>> {
    let command: Extract<TurnItem, { kind: 'command-execution' }> | undefined;
    await this.#runWhole({ task: 'shell', script }, options, (item) => {
      if (item.kind === 'command-execution') command = item;
    });
    if (command === undefined) throw new Error('a shell task ended without its command');
    return command;
  }

  async review(target: ReviewTarget, options: TaskOptions = {}): Promise<ReviewResult> {
    let review: ReviewResult | undefined;
    await this.#runWhole({ task: 'review', target }, options, (item) => {
      if (item.kind === 'review-end') review = item.review;
    });
    if (review === undefined) throw new Error('a review ended without a result');
    return review;
  }

  /** The record is read again: what the next turn is compared with stands before the turns that are gone. */
  async rollBack(turns: number): Promise<void> {
    if (!Number.isSafeInteger(turns) || turns < 1) {
      throw new AgentError('invalid-argument', `the number of turns must be a whole number above 0, not ${turns}`);
    }
    await this.#exclusively(async () => {
      const available = this.#thread.userTurnCount;
      if (turns > available) {
        const have = available === 0 ? 'no turn' : available === 1 ? 'only one turn' : `only ${available} turns`;
        throw new AgentError('invalid-argument', `this thread has ${have} to take back, not ${turns}`);
      }
      const { readSeed } = this.#resources;
      let isWritten = false;
      try {
        await this.#thread.rollBack(turns, () => {
          isWritten = true;
          return readSeed(this.#closing.signal);
        });
      } catch (error) {
        if (!isWritten) throw error;
        // The record and what is in memory are two different threads now.
        this.#closing.abort(new AgentError('closed', 'the thread could not be read again after the rollback'));
        throw error;
      }
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #runWhole(
    submission: Submission,
    options: TurnOptions,
    onItem: (item: TurnItem) => void = () => undefined,
  ): Promise<Extract<TurnOutcome, { kind: 'completed' }>> {
    let outcome: TurnOutcome | undefined;
    await this.runPushed(submission, {
      ...options,
      onEvent: (event) => {
        if (event.kind === 'item-end') onItem(event.item);
        else if (event.kind === 'turn-end') outcome = event.outcome;
      },
    });
    if (outcome?.kind === 'failed') throw new TurnFailedError(outcome.failure);
    if (outcome?.kind === 'completed') return outcome;
    throw options.signal?.reason ?? new AgentError('closed', 'the thread was closed during the turn');
  }

  /** One at a time, and none on a closed thread. */
  async #exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#closing.signal.aborted) throw new AgentError('closed', 'this thread is closed; open it again to go on');
    if (this.#task !== undefined) {
      throw new AgentError('busy', 'a turn is already running in this thread; wait for it, steer it or interrupt it');
    }
    const running = work();
    this.#task = running.catch(() => undefined);
    try {
      await running;
    } catch (error) {
      throw asAgentError(error);
    } finally {
      this.#task = undefined;
      void this.#resources.pruning?.end();
    }
  }

  async #start(submission: Submission, options: PushOptions): Promise<TurnOutcome> {
    const closing = this.#closing.signal;
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    const onEvent = this.#resources.notices.overhear(options.onEvent);
    const request: TaskRequest = { signal, onEvent };
    const told = (question?: string): TaskRequest['onEvent'] =>
      this.#resources.notifier?.overhear(onEvent, question) ?? onEvent;
    if (typeof submission === 'string' || !('task' in submission)) {
      return this.#startTurn(submission, options, { signal, onEvent: told() });
    }
    switch (submission.task) {
      case 'compact':
        return this.#thread.compact(request);
      case 'undo':
        return this.#thread.undo(request);
      case 'shell':
        return this.#thread.runShell({ ...request, script: requireText(submission.script) });
      case 'review': {
        const { reviewOrder } = await import('./review.ts');
        const { opener, ground } = this.#resources;
        const order = await reviewOrder(submission.target, { opener, ground, settings: this.#thread.settings, signal });
        return this.#thread.review({ signal, onEvent: told(order.prompt), order });
      }
    }
  }

  /** Without overrides the turn runs when this returns, so that it can be steered at once. */
  async #startTurn(
    submission: string | readonly UserInput[],
    { overrides, outputSchema }: PushOptions,
    request: TaskRequest,
  ): Promise<TurnOutcome> {
    const { ground, equipment, notices } = this.#resources;
    const input = normalizeInput(submission);
    const current = currentSettings(ground, this.#thread.settings);
    const settings = overrides === undefined ? current : await changeSettings(ground, current, overrides);
    notices.postByEnd((post) => ground.models.reportUnknown(settings.model.slug, post));
    if (equipment.isAwaited) await equipment.ready(request.signal);
    return this.#thread.runTurn({ ...request, input, outputSchema, settings });
  }

  async #release(): Promise<void> {
    this.#closing.abort(new AgentError('closed', 'the thread was closed'));
    await Promise.all([this.#task, this.#resources.agents?.closeAll()]);
    this.#resources.model.close();
    const { runner, equipment, refusals, pruning, ground } = this.#resources;
    const models = ground.depth === 0 ? ground.models.close() : undefined;
    const recording = ground.recording?.release();
    await Promise.all([runner.close(), equipment.close(), models, refusals?.settled(), pruning?.end()]);
    this.#resources.rollout.close();
    await recording;
  }
}

function normalizeInput(input: string | readonly UserInput[]): readonly UserInput[] {
  const parts: readonly UserInput[] = typeof input === 'string' ? [{ kind: 'text', text: input }] : input;
  const hasContent = parts.some((part) => part.kind === 'image' || part.text.trim() !== '');
  if (!hasContent) throw new AgentError('invalid-argument', 'the input is empty; give a text or an image');
  return parts;
}

function requireText(script: string): string {
  if (script.trim() === '') throw new AgentError('invalid-argument', 'the command is empty');
  return script;
}
