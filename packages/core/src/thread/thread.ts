import type {
  JsonObject,
  MessageItem,
  ThreadId,
  ThreadTokenUsage,
  TurnId,
  TurnOutcome,
  UserInput,
} from '@quire/protocol';
import { ApprovalDesk } from '../approval/approval-desk.ts';
import { turnAbortedMessage } from '../context/fragments.ts';
import { History } from '../history/history.ts';
import { effectiveContextWindow } from '../model/effective-window.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import { createToolSet } from '../tools/tool-set.ts';
import { budgetedModel } from './budgeted-model.ts';
import { type LinkedAbort, linkAbort } from './linked-abort.ts';
import { buildModelRequest } from './model-request.ts';
import type { ThreadSeed } from './reconstruct-thread.ts';
import { RegularTurn } from './regular-turn.ts';
import type { ReviewOrder } from './review-task.ts';
import { taskComplete, taskStarted, threadRolledBack, tokenCount, turnAborted } from './rollout-events.ts';
import type { ThreadSettings } from './settings.ts';
import { type PendingInput, recordPending, type Task, type TaskRequest } from './task.ts';
import { failureOf } from './task-failure.ts';
import { TaskTrace } from './task-trace.ts';
import type { ThreadPorts } from './thread-ports.ts';
import { ThreadRecord } from './thread-record.ts';
import { ThreadState } from './thread-state.ts';
import { TurnDiff } from './turn-diff.ts';
import { TurnEvents } from './turn-events.ts';
import { NO_HANDLES } from './turn-tools.ts';

export interface TurnRequest extends TaskRequest {
  readonly input: readonly UserInput[];
  readonly outputSchema: JsonObject | undefined;
  /** From this turn on. Absent: as before. */
  readonly settings?: ThreadSettings;
}

/** Thrown when a task is asked for while another one runs. */
class ThreadBusyError extends Error {
  override readonly name = 'ThreadBusyError';
}

interface RunningTask {
  readonly pending: PendingInput[];
  readonly takesInput: boolean;
}

/**
 * One conversation: owns its history, the context baseline and the rollout writer. One task at a time. No task
 * ever rejects for what happens in it: the outcome, which is also the last event, says how it ended. Aborting its
 * signal interrupts it and settles every open call.
 */
export class Thread {
  readonly id: ThreadId;
  readonly #ports: ThreadPorts;
  #settings: ThreadSettings;
  #state: ThreadState;
  readonly #approvals: ApprovalDesk;
  #running: RunningTask | undefined;
  /** Came while nothing ran that could take it. */
  readonly #waiting: MessageItem[] = [];

  constructor(parts: {
    readonly id: ThreadId;
    readonly settings: ThreadSettings;
    readonly ports: ThreadPorts;
    readonly seed: ThreadSeed | undefined;
  }) {
    this.id = parts.id;
    this.#settings = parts.settings;
    const { ports } = parts;
    const { budget } = ports;
    this.#ports = budget === undefined ? ports : { ...ports, model: budgetedModel(ports.model, budget) };
    this.#approvals = new ApprovalDesk(ports);
    this.#state = new ThreadState(parts.seed);
    this.#state.usage.setContextWindow(effectiveContextWindow(parts.settings.model));
  }

  get settings(): ThreadSettings {
    return this.#settings;
  }

  get usage(): ThreadTokenUsage | undefined {
    return this.#state.usage.current;
  }

  /** Percent of the window that is left for the conversation; `undefined`: its size is not known. */
  get contextLeftPercent(): number | undefined {
    return this.#state.usage.percentLeft();
  }

  /** Turns that can be rolled back. */
  get userTurnCount(): number {
    return this.#state.userTurns;
  }

  get history(): History['items'] {
    return this.#state.history.items;
  }

  /** Queues input for the running turn; it is recorded right before the next request. `false`: none takes it. */
  steer(input: readonly UserInput[]): boolean {
    if (this.#running?.takesInput !== true) return false;
    this.#running.pending.push({ kind: 'user', input });
    return true;
  }

  /** Tells the model something that no person said: with the next request of the running turn, or of the next one. */
  notify(item: MessageItem): void {
    if (this.#running?.takesInput === true) this.#running.pending.push({ kind: 'message', item });
    else this.#waiting.push(item);
  }

  /** Gets the line to the model ready in the background. Nothing that a person said is sent; never fails. */
  warmUp(): void {
    const settings = this.#settings;
    const { specs } = createToolSet(settings, this.#ports, { diff: new TurnDiff(), ...NO_HANDLES });
    const request = buildModelRequest(settings, new History(), { tools: specs, outputSchema: undefined });
    this.#ports.model.warmUp?.({ request });
  }

  runTurn(request: TurnRequest): Promise<TurnOutcome> {
    if (request.settings !== undefined) this.#useSettings(request.settings);
    const { input, outputSchema } = request;
    return this.#run(request, { name: 'turn', takesInput: true, marksAbort: true }, (task) => {
      return new RegularTurn(task, { input, outputSchema, notices: this.#waiting }).run();
    });
  }

  /** Makes the history shorter because somebody asked for it. */
  compact(request: TaskRequest): Promise<TurnOutcome> {
    return this.#run(request, standalone('compact'), async (task) => {
      const { runCompactionTask } = await import('./compaction-task.ts');
      return runCompactionTask(task);
    });
  }

  /** Runs a command that a person typed: no approval, no sandbox. The model hears of it with the next turn. */
  runShell(request: TaskRequest & { readonly script: string }): Promise<TurnOutcome> {
    return this.#run(request, standalone('shell'), async (task) => {
      const { runUserShell } = await import('./user-shell-task.ts');
      return runUserShell(task, request.script);
    });
  }

  /** Puts the files back to where they were before the newest turn that changed something. */
  undo(request: TaskRequest): Promise<TurnOutcome> {
    return this.#run(request, standalone('undo'), async (task) => {
      const { undoLastTurn } = await import('./undo-task.ts');
      return undoLastTurn(task);
    });
  }

  /** A review by a thread of its own; this one keeps the result. */
  review(request: TaskRequest & { readonly order: ReviewOrder }): Promise<TurnOutcome> {
    return this.#run(request, standalone('review'), async (task) => {
      const { runReviewTask } = await import('./review-task.ts');
      return runReviewTask(task, request.order);
    });
  }

  /**
   * Takes the last user turns out of the thread, at most `wanted`; files stay as they are. The record says so and is
   * then read again: what the next turn is compared with stands before the turns that are gone. `false`: there is no
   * turn.
   * @throws ThreadBusyError, or what the rollout's writer throws: nothing has changed then. What `readSeed` throws: the
   * record and this thread are two different ones from then on.
   */
  async rollBack(wanted: number, readSeed: () => Promise<ThreadSeed>): Promise<boolean> {
    this.#refuseWhileBusy();
    // More than there are would undo what lies between turns as well, such as a compaction.
    const turns = Math.min(wanted, this.#state.userTurns);
    if (turns < 1) return false;
    this.#ports.rollout.append([threadRolledBack(turns)]);
    this.#running = { pending: [], takesInput: false };
    try {
      this.#state = new ThreadState(await readSeed());
    } finally {
      this.#running = undefined;
    }
    const { history, usage } = this.#state;
    usage.setContextWindow(effectiveContextWindow(this.#settings.model));
    usage.estimateInstead(history.items, this.#settings.baseInstructions);
    return true;
  }

  #useSettings(settings: ThreadSettings): void {
    this.#refuseWhileBusy();
    this.#settings = settings;
    this.#state.usage.setContextWindow(effectiveContextWindow(settings.model));
  }

  #refuseWhileBusy(): void {
    if (this.#running !== undefined) throw new ThreadBusyError('a turn is already running in this thread');
  }

  async #run(
    request: TaskRequest,
    kind: TaskKind,
    work: (task: Task) => Promise<string | undefined>,
  ): Promise<TurnOutcome> {
    this.#refuseWhileBusy();
    const running: RunningTask = { pending: [], takesInput: kind.takesInput };
    this.#running = running;
    using link = linkAbort(request.signal);
    const task = this.#newTask(request, kind, running, link);
    try {
      task.record.write([taskStarted(task.turnId, this.#settings)]);
      task.events.emit({ kind: 'turn-start', turnId: task.turnId });
      return this.#end(task, kind, await this.#attempt(task, work));
    } finally {
      this.#running = undefined;
    }
  }

  #newTask(request: TaskRequest, kind: TaskKind, running: RunningTask, link: LinkedAbort): Task {
    const turnId = this.#ports.entropy.uuid() as TurnId;
    const events = new TurnEvents(turnId, request.onEvent);
    const record = new ThreadRecord(this.#state.history, this.#ports.rollout, (error) => {
      events.warn(`The record of this thread can not be written, so it may not be resumable: ${error.message}`);
    });
    const { pending } = running;
    const { telemetry, clock } = this.#ports;
    const model = this.#settings.model.slug;
    const trace = telemetry && new TaskTrace(telemetry, { turnId, kind: kind.name, model, clock });
    return {
      turnId,
      signal: link.signal,
      interrupt: () => link.abort(new Error('the turn was stopped by a decision of its person')),
      settings: this.#settings,
      events,
      record,
      state: this.#state,
      ports: trace === undefined ? this.#ports : { ...this.#ports, model: trace.model(this.#ports.model) },
      pending,
      approvals: this.#approvals,
      trace,
    };
  }

  async #attempt(task: Task, work: (task: Task) => Promise<string | undefined>): Promise<TurnOutcome> {
    try {
      return { kind: 'completed', lastAgentMessage: await work(task) };
    } catch (error) {
      if (task.signal.aborted) return { kind: 'interrupted' };
      const failure = failureOf(error);
      if (failure.code === 'context-window-exceeded') this.#fillWindow(task);
      return { kind: 'failed', failure };
    }
  }

  /** The server refused the conversation as too long: whatever was counted before, the window is full. */
  #fillWindow({ state, record }: Task): void {
    if (state.usage.fill()) record.write([tokenCount(state.usage.current, /* limits */ undefined)]);
  }

  /** Settles, writes the end of the task and, last of all, announces it. */
  #end(task: Task, kind: TaskKind, outcome: TurnOutcome): TurnOutcome {
    const { events, record, turnId, settings } = task;
    recordPending(task);
    events.settle();
    if (outcome.kind === 'interrupted') {
      const marker = kind.marksAbort ? [turnAbortedMessage()] : [];
      record.add(marker, effectiveTruncation(settings), [turnAborted(turnId)]);
    } else {
      const lastAgentMessage = outcome.kind === 'completed' ? outcome.lastAgentMessage : undefined;
      record.write([taskComplete(turnId, lastAgentMessage)]);
    }
    this.#running = undefined;
    task.trace?.end(outcome);
    events.emit({ kind: 'turn-end', turnId, outcome });
    return outcome;
  }
}

interface TaskKind {
  /** For records. */
  readonly name: string;
  /** Input that arrives while it runs becomes part of it. */
  readonly takesInput: boolean;
  /** The model is told when it was interrupted. */
  readonly marksAbort: boolean;
}

/** Everything but a regular turn: it moves neither the baseline nor the previous model. */
function standalone(name: string): TaskKind {
  return { name, takesInput: false, marksAbort: false };
}
