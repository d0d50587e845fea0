import { type JsonObject, type MessageItem, ModelError, type PlanStep, type UserInput } from '@quire/protocol';
import { contextMessages, turnContextLine } from '../context/initial-context.ts';
import { findModel } from '../model/catalog.ts';
import { isContextLimitReached, needsDownshiftCompaction } from '../model/compaction-limits.ts';
import { resolveSettings } from '../model/turn/resolve-turn.ts';
import type { ModelRequest, ModelTurn } from '../ports/model-port.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import { compactHistory } from './compact-history.ts';
import { LineNotices } from './line-notices.ts';
import { buildModelRequest } from './model-request.ts';
import { Quarantine } from './quarantine.ts';
import { Sampling, type SamplingResult } from './sampling.ts';
import type { ThreadSettings } from './settings.ts';
import { recordInput, recordPending, type Task } from './task.ts';
import { TurnDiff } from './turn-diff.ts';
import type { TurnEvents } from './turn-events.ts';
import { turnMetadata } from './turn-metadata.ts';
import { TurnScope } from './turn-scope.ts';
import { TurnSnapshot } from './turn-snapshot.ts';
import { TurnTools } from './turn-tools.ts';

/** Share of the window by which a history must grow before a compaction in vain is tried again. */
const GROWTH_AFTER_VAIN = 0.1;

export interface RegularTurnInput {
  readonly input: readonly UserInput[];
  /** What the model is to be told before it; taken out when it is recorded. */
  readonly notices: MessageItem[];
  readonly outputSchema: JsonObject | undefined;
}

/** A turn as people know it: their input, and requests until the model wants nothing more. */
export class RegularTurn {
  readonly #task: Task;
  readonly #request: RegularTurnInput;
  readonly #modelTurn: ModelTurn;
  readonly #scope: TurnScope;
  readonly #tools: TurnTools;
  readonly #notices: LineNotices;
  readonly #quarantine: Quarantine;
  /** Size at which a compaction found nothing to gain. It is not tried again before there is a good deal more. */
  #vainAtTokens: number | undefined;
  #hasShortened = false;

  constructor(task: Task, request: RegularTurnInput) {
    this.#task = task;
    this.#request = request;
    this.#quarantine = new Quarantine(task);
    const { settings, ports, events, signal, turnId, approvals, interrupt } = task;
    this.#modelTurn = ports.model.beginTurn({ turnId, metadata: turnMetadata(turnId, settings) });
    const diff = new TurnDiff();
    const plan = new TurnPlan(events);
    this.#tools = new TurnTools(settings, ports, { diff, onPlan: (steps) => plan.show(steps) });
    const snapshot = new TurnSnapshot(task);
    this.#notices = new LineNotices(events, settings.model.slug);
    this.#scope = new TurnScope({
      settings,
      events,
      record: task.record,
      router: this.#tools.router,
      context: {
        turnId,
        settings,
        signal,
        ...(task.trace === undefined ? {} : task.trace.ofCalls),
        approvals,
        interrupt,
        emit: events.emit,
        beforeRun: () => snapshot.taken(),
      },
      modelTurn: this.#modelTurn,
      ports,
      notices: this.#notices,
      usage: task.state.usage,
      ledger: task.state.ledger,
      diff,
    });
  }

  /** Text of the last agent message. */
  async run(): Promise<string | undefined> {
    const task = this.#task;
    try {
      task.signal.throwIfAborted();
      task.state.ledger.noteUserInput();
      this.#tellNotes();
      await this.#compactBefore();
      this.#recordContext();
      const notices = this.#request.notices.splice(0);
      if (notices.length > 0) task.record.add(notices, effectiveTruncation(task.settings));
      recordInput(task, this.#request.input);
      task.state.userTurns += 1;
      task.state.previousModel = task.settings.model.slug;
      return await this.#sampleUntilDone();
    } finally {
      this.#notices.showReceipts();
    }
  }

  /** What was chosen holds for turn after turn; what is wrong with it is told once. */
  #tellNotes(): void {
    const { settings, ports, events } = this.#task;
    for (const note of settings.notes) {
      if (ports.toldNotes?.has(note) === true) continue;
      ports.toldNotes?.add(note);
      events.warn(note);
    }
  }

  /** Nothing of the new input is in the history yet, so a failure here loses nothing of it. */
  async #compactBefore(): Promise<void> {
    const { state, settings } = this.#task;
    const active = this.#activeTokens();
    const previous = this.#previousModel();
    const canCompact = settings.compaction.strategies.length > 0;
    if (
      canCompact &&
      previous !== undefined &&
      needsDownshiftCompaction({ previous, next: settings, activeTokens: active })
    ) {
      await this.#compact('standalone', previous);
    } else if (state.history.items.length > 0 && this.#isFull(active)) {
      await this.#compact('standalone', settings);
    }
  }

  #previousModel(): ThreadSettings | undefined {
    const { state, settings, ports } = this.#task;
    const slug = state.previousModel;
    if (slug === undefined || slug === settings.model.slug) return undefined;
    return resolveSettings({ ...settings, model: ports.models?.describe(slug) ?? findModel(slug) });
  }

  #recordContext(): void {
    const { state, settings, record, turnId } = this.#task;
    const context = turnContextLine(settings, { turnId, outputSchema: this.#request.outputSchema });
    const { baseline, previousModel } = state;
    const messages = contextMessages(settings, { baseline, previousModel, history: state.history.items });
    record.add(messages, effectiveTruncation(settings), [{ type: 'turn_context', payload: context }]);
    state.baseline = context;
  }

  async #sampleUntilDone(): Promise<string | undefined> {
    const task = this.#task;
    for (;;) {
      const result = await this.#sample();
      task.signal.throwIfAborted();
      if (!result.needsFollowUp && task.pending.length === 0) return result.lastAgentMessage;
      const compacted = this.#isFull(this.#activeTokens());
      if (compacted) await this.#compact('mid-turn', task.settings);
      // Right after a compaction the model picks up its own thread before it hears more.
      if (!compacted || !result.needsFollowUp) recordPending(task);
    }
  }

  /** One sampling request; what the API refuses for good is mended and sent again. */
  async #sample(): Promise<SamplingResult> {
    const { state, signal } = this.#task;
    for (;;) {
      let request: ModelRequest | undefined;
      try {
        const result = await new Sampling(this.#scope).run(() => {
          request = buildModelRequest(this.#task.settings, state.history, {
            tools: this.#tools.specs,
            outputSchema: this.#request.outputSchema,
          });
          return request;
        });
        await this.#quarantine.keep(this.#request.outputSchema);
        return result;
      } catch (error) {
        const isMended = !signal.aborted && error instanceof ModelError && (await this.#mend(error, request));
        if (isMended) continue;
        await this.#quarantine.settle(this.#request.outputSchema);
        throw error;
      }
    }
  }

  /** `false`: nothing can be done about it. */
  async #mend(error: ModelError, request: ModelRequest | undefined): Promise<boolean> {
    if (error.code === 'context-window-exceeded') return this.#shorten();
    return request !== undefined && this.#quarantine.takeOut(error, request);
  }

  /** The server counts differently and has refused the conversation as too long: once a turn it is made shorter. */
  async #shorten(): Promise<boolean> {
    const { state, settings } = this.#task;
    const { strategies } = settings.compaction;
    if (this.#hasShortened || strategies.length === 0 || state.history.items.length < 2) return false;
    this.#hasShortened = true;
    await this.#quarantine.settle(this.#request.outputSchema);
    try {
      await this.#compact('mid-turn', settings);
      return this.#vainAtTokens === undefined;
    } catch (error) {
      if (this.#task.signal.aborted) throw error;
      return false;
    }
  }

  #activeTokens(): number {
    const { state, settings } = this.#task;
    return state.usage.activeTokens(state.history.items, settings.baseInstructions);
  }

  async #compact(form: 'mid-turn' | 'standalone', settings: ThreadSettings): Promise<void> {
    const outcome = await compactHistory(this.#task, {
      form,
      settings,
      tools: this.#tools.specs,
      modelTurn: this.#modelTurn,
      isAutomatic: true,
      outputSchema: this.#request.outputSchema,
      notices: this.#notices,
    });
    this.#vainAtTokens = outcome === 'nothing-to-gain' ? this.#activeTokens() : undefined;
  }

  #isFull(activeTokens: number): boolean {
    const { settings } = this.#task;
    if (settings.compaction.strategies.length === 0 || !isContextLimitReached(settings, activeTokens)) return false;
    const vainAt = this.#vainAtTokens;
    return vainAt === undefined || activeTokens >= vainAt + (settings.model.contextWindow ?? 0) * GROWTH_AFTER_VAIN;
  }
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
