import type {
  CompactionStrategyName,
  JsonObject,
  ModelError,
  ResponseItem,
  RolloutLine,
  ToolSpec,
} from '@quire/protocol';
import type { CompactionFailure, CompactionListener, CompactionResult } from '../compaction/compaction.ts';
import { initialContext, turnContextLine } from '../context/initial-context.ts';
import { effectiveContextWindow } from '../model/effective-window.ts';
import type { ModelTurn } from '../ports/model-port.ts';
import type { LineNotices } from './line-notices.ts';
import { contextCompacted, tokenCount } from './rollout-events.ts';
import type { ThreadSettings } from './settings.ts';
import type { Task } from './task.ts';
import { TaskError } from './task-error.ts';
import type { CompactionOutcome } from './task-trace.ts';

/** Tokens of a ledger, and the share of the window that it never exceeds. */
const LEDGER_BUDGET_TOKENS = 4_000;
const LEDGER_WINDOW_SHARE = 0.1;

export interface CompactionOrder {
  readonly form: 'mid-turn' | 'standalone';
  /** Of the model that makes the summary. */
  readonly settings: ThreadSettings;
  readonly tools: readonly ToolSpec[];
  readonly modelTurn: ModelTurn;
  /** Nobody asked for it: the breaker may stop it. */
  readonly isAutomatic: boolean;
  readonly outputSchema: JsonObject | undefined;
  readonly notices: Pick<LineNotices, 'note' | 'noteRepetition'>;
}

type CompactionEnd =
  | { readonly kind: 'compacted'; readonly strategy: CompactionStrategyName }
  | { readonly kind: 'nothing-to-gain' };

/**
 * Replaces the history by a shorter one, or throws and leaves everything as it was: the new history is written to
 * the rollout in one line, and only then used. `nothing-to-gain`: nobody asked for it, and the history would hardly
 * be shorter; it stays.
 */
export async function compactHistory(task: Task, order: CompactionOrder): Promise<CompactionEnd['kind']> {
  const { trace, signal } = task;
  const work = (): Promise<CompactionEnd> => compact(task, order);
  const end = await (trace?.compaction(order, { signal, outcome: outcomeOf }, work) ?? work());
  return end.kind;
}

function outcomeOf(end: CompactionEnd): CompactionOutcome {
  return { outcome: end.kind, strategy: end.kind === 'compacted' ? end.strategy : undefined };
}

async function compact(task: Task, order: CompactionOrder): Promise<CompactionEnd> {
  const { state, events, ports } = task;
  if (order.isAutomatic) {
    const reason = await state.ledger.reasonToStop();
    if (reason !== undefined) throw new TaskError('compaction-loop', reason);
  }
  const tokensBefore = state.usage.activeTokens(state.history.items, task.settings.baseInstructions);
  const item = {
    kind: 'context-compaction',
    id: ports.entropy.uuid(),
    strategy: undefined,
    tokensBefore,
    tokensAfter: undefined,
  } as const;
  events.start(item);
  try {
    const attempt = await attemptCompaction(task, order);
    if (attempt === 'nothing-to-gain') {
      events.forget(item.id);
      events.warn('The history is near its limit, and what it holds can hardly be made shorter; it stays as it is.');
      return { kind: attempt };
    }
    const { result, ledgerState } = attempt;
    const tokensAfter = commit(task, { ...result, ledgerState, order });
    if (order.isAutomatic) await state.ledger.noteAutomaticCompaction();
    const { strategy } = result;
    events.end({ ...item, strategy, tokensAfter });
    events.warn(
      'The history was compacted. Long threads and repeated compactions cost accuracy; a new thread for a new matter helps.',
    );
    return { kind: 'compacted', strategy };
  } catch (error) {
    events.forget(item.id);
    throw error;
  }
}

type Compacted = Extract<CompactionResult, { kind: 'compacted' }>;

async function attemptCompaction(
  task: Task,
  order: CompactionOrder,
): Promise<{ readonly result: Compacted; readonly ledgerState: JsonObject | undefined } | 'nothing-to-gain'> {
  const { state, settings, ports, signal } = task;
  const { runCompaction } = await import('../compaction/run-compaction.ts');
  const ledger = await workLedger(task);
  const result = await runCompaction(
    {
      settings: order.settings,
      history: state.history.items,
      tools: order.tools,
      form: order.form,
      context: order.form === 'mid-turn' ? initialContext(settings, { previousModel: undefined }) : [],
      ledger,
      targetWindow: effectiveContextWindow(settings.model),
      knownSummaries: state.knownSummaries,
      unavailable: state.unavailableStrategies,
    },
    { model: ports.model, modelTurn: order.modelTurn, clock: ports.clock, entropy: ports.entropy },
    listenerOf(task, order),
    { signal },
  );
  for (const strategy of result.unavailable) state.unavailableStrategies.add(strategy);
  if (result.kind === 'failed' && order.isAutomatic && isInVain(result.failures)) return 'nothing-to-gain';
  if (result.kind === 'failed') throw compactionFailure(result.failures.map((failure) => failure.error));
  signal.throwIfAborted();
  return { result, ledgerState: ledger?.state };
}

/** The last way worked, but to no effect; ways that did not work are no better. */
function isInVain(failures: readonly CompactionFailure[]): boolean {
  return failures.at(-1)?.freesTooLittle === true;
}

async function workLedger(task: Task): ReturnType<Task['state']['ledger']['snapshot']> {
  const { state, settings, ports, signal } = task;
  const { digests } = ports;
  // Also without a ledger in the history: the breaker goes by what it sees.
  await state.ledger.catchUp(state.history.items, { cwd: settings.cwd, digests, signal });
  if (!settings.compaction.ledger) return undefined;
  const window = effectiveContextWindow(settings.model);
  return state.ledger.snapshot({ digests, signal, budgetTokens: ledgerBudget(window) });
}

/** In a small window the ledger must not be what fills it. */
function ledgerBudget(window: number | undefined): number | undefined {
  return window === undefined ? undefined : Math.min(LEDGER_BUDGET_TOKENS, Math.floor(window * LEDGER_WINDOW_SHARE));
}

/** Writes the new history, then makes it the thread's. Gives back its estimated size in tokens. */
function commit(
  task: Task,
  done: {
    readonly message: string;
    readonly history: readonly ResponseItem[];
    readonly ledgerState: JsonObject | undefined;
    readonly order: CompactionOrder;
  },
): number {
  const { state, settings, record, turnId, events } = task;
  const { message, history, ledgerState, order } = done;
  const context =
    order.form === 'mid-turn' ? turnContextLine(settings, { turnId, outputSchema: order.outputSchema }) : undefined;
  const lines: RolloutLine[] = [compactedLine(message, history, ledgerState)];
  if (context !== undefined) lines.push({ type: 'turn_context', payload: context });
  writeFirst(task, lines);
  state.history.replace(history);
  state.baseline = context;
  state.ledger.rebase(history.length);
  if (message !== '') state.knownSummaries.push(message);
  const tokens = state.usage.estimateInstead(history, settings.baseInstructions);
  record.write([tokenCount(state.usage.current, /* limits */ undefined), contextCompacted()]);
  const usage = state.usage.current;
  if (usage !== undefined) events.emit({ kind: 'token-usage', turnId, usage });
  return tokens;
}

/** Without its line the new history would be gone at the next resume, so then there is none. */
function writeFirst({ ports }: Task, lines: readonly RolloutLine[]): void {
  try {
    ports.rollout.append(lines);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TaskError('compaction', `the history could not be compacted, because it can not be written: ${reason}`, {
      cause,
    });
  }
}

export function compactedLine(
  message: string,
  history: readonly ResponseItem[],
  ledger: JsonObject | undefined,
): RolloutLine {
  return {
    type: 'compacted',
    payload: { message, replacement_history: history, ...(ledger === undefined ? {} : { ledger }) },
  };
}

function listenerOf(task: Task, order: CompactionOrder): CompactionListener {
  const { events, state, turnId, ports } = task;
  return {
    usage: (usage) => {
      state.usage.addOnly(usage);
      ports.budget?.spend(usage);
    },
    retry: ({ attempt, maxAttempts, delayMs, cause }) => {
      order.notices.noteRepetition();
      events.emit({
        kind: 'stream-retry',
        turnId,
        attempt,
        maxAttempts,
        delayMs,
        cause: { code: cause.code, message: cause.message, retryable: true },
      });
    },
    notice: (message) => events.warn(message),
    lineEvent: order.notices.note,
  };
}

/** A failure of the line keeps its kind, so that clients treat it as such; the words say what it stopped. */
function compactionFailure(errors: readonly ModelError[]): Error {
  const last = errors.at(-1);
  const reasons = [...new Set(errors.map((error) => error.message))].join('; ');
  const text = `the history could not be compacted: ${reasons === '' ? 'no way of compacting is configured' : reasons}. It is unchanged.`;
  return new TaskError('compaction', text, { cause: last });
}
