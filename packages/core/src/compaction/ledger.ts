import type { JsonObject, MessageItem, ResponseItem, ToolOutputItem } from '@quire/protocol';
import { isUserTurnBoundary, isWorkLedger, workLedgerMessage } from '../context/fragments.ts';
import { plainText } from '../history/message-text.ts';
import { isToolCall, isToolOutput } from '../history/normalize-history.ts';
import { truncateMiddle } from '../history/truncate-output.ts';
import type { FileDigests } from '../ports/file-digests.ts';
import { type FileRead, mergeExtents } from './file-reads.ts';
import { isSummaryText } from './history-shape.ts';
import {
  type LedgerCommand,
  type LedgerFile,
  type LedgerState,
  ledgerStateFromJson,
  ledgerStateToJson,
} from './ledger-state.ts';
import { LEDGER_BUDGET_TOKENS, renderLedger } from './ledger-text.ts';
import { type CallOutcome, effectOf, type FileChange, outcomeOf, type ToolEffect } from './tool-effects.ts';

const MOST_FILES = 500;
const MOST_COMMANDS = 300;
const MOST_COMPLETED_STEPS = 500;
const MOST_PLAN_STEPS = 100;
/** Files whose bytes are looked at before a compaction. */
const MOST_DIGESTS = 200;
const DIGESTS_AT_ONCE = 8;
/** Contents of one file that are known again. */
const MOST_SEEN_HASHES = 16;
const GOAL_TOKENS = 300;
const STEP_TOKENS = 60;
const COMMAND_TOKENS = 75;
const OUTCOME_TOKENS = 30;

/**
 * What the program itself knows of the work of a thread, from its items alone: what was asked, the plan, files,
 * commands. It is put back beside each summary. Calls that have no output yet are not part of the state: a
 * compaction happens between calls.
 */
export class WorkLedger {
  readonly #state: LedgerState;
  readonly #openCalls = new Map<string, ToolEffect>();
  /** Files touched since their digests were taken. */
  #undigested = new Set<string>();

  /** @param state what an earlier ledger gave as its JSON; of anything else as much as can be understood */
  constructor(state: JsonObject | undefined) {
    this.#state = ledgerStateFromJson(state ?? {});
  }

  /** Takes in the next item of the history. */
  note(item: ResponseItem, { cwd }: { readonly cwd: string }): void {
    if (isToolCall(item)) this.#noteCall(item, cwd);
    else if (isToolOutput(item)) this.#noteOutput(item);
    else if (item.type === 'message' && isUserTurnBoundary(item)) this.#noteGoal(item);
    this.#state.cwd = cwd;
  }

  /** What the API refuses in an item must not come back by way of the ledger. */
  forget(item: ResponseItem, { cwd }: { readonly cwd: string }): void {
    const state = this.#state;
    if (isWorkLedger(item)) {
      // Which of its lines was refused is not told; all free text goes, the files stay.
      state.firstGoal = undefined;
      state.latestGoal = undefined;
      state.plan = [];
      state.commands.clear();
      return;
    }
    if (item.type === 'message') {
      const goal = goalOf(item);
      if (state.firstGoal === goal) state.firstGoal = undefined;
      if (state.latestGoal === goal) state.latestGoal = undefined;
      return;
    }
    const effect = isToolCall(item) ? effectOf(item, cwd) : undefined;
    if (effect?.kind === 'plan') state.plan = [];
    if (effect?.kind === 'command') state.commands.delete(commandLine(effect.line));
    if (isToolCall(item) && item.call_id !== undefined) this.#openCalls.delete(item.call_id);
  }

  /** Takes the digests of files that were touched since the last time. */
  async digestNew(digests: FileDigests, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (this.#undigested.size === 0) return;
    const paths = [...this.#undigested].slice(-MOST_DIGESTS);
    this.#undigested = new Set();
    await this.#digest(paths, digests, signal);
  }

  /** Looks at the files again, newest first; those that are not what they were get marked. */
  async refreshDigests(digests: FileDigests, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#undigested = new Set();
    await this.#digest([...this.#state.files.keys()].slice(-MOST_DIGESTS), digests, signal);
  }

  /** The text for the model, within `budgetTokens`; older entries give way to newer ones. */
  render(options: { readonly budgetTokens?: number } = {}): string {
    return renderLedger(this.#state, { budgetTokens: options.budgetTokens ?? LEDGER_BUDGET_TOKENS });
  }

  toJson(): JsonObject {
    return ledgerStateToJson(this.#state);
  }

  /** For a compaction; `undefined` as long as nothing but talk happened. */
  snapshot(
    options: { readonly budgetTokens?: number } = {},
  ): { readonly message: MessageItem; readonly state: JsonObject } | undefined {
    const { plan, files, commands } = this.#state;
    if (plan.length === 0 && files.size === 0 && commands.size === 0) return undefined;
    return { message: workLedgerMessage(this.render(options)), state: this.toJson() };
  }

  /** Another text exactly when the work got on: a file has a new content or was newly read, a plan step done, a command's first success. */
  progressMark(): string {
    return String(this.#state.progress);
  }

  #noteGoal(item: MessageItem): void {
    const goal = goalOf(item);
    if (goal === undefined) return;
    this.#state.firstGoal ??= goal;
    this.#state.latestGoal = goal;
  }

  #noteCall(call: ResponseItem & { readonly call_id?: string }, cwd: string): void {
    const effect = effectOf(call, cwd);
    if (effect?.kind === 'plan') this.#notePlan(effect);
    else if (effect !== undefined && call.call_id !== undefined) this.#openCalls.set(call.call_id, effect);
  }

  #noteOutput(item: ToolOutputItem): void {
    const effect = this.#openCalls.get(item.call_id);
    if (effect === undefined) return;
    this.#openCalls.delete(item.call_id);
    const outcome = outcomeOf(item.output);
    const isSuccess = outcome.kind === 'exit' && outcome.exitCode === 0;
    if (effect.kind === 'patch' && isSuccess) for (const change of effect.changes) this.#noteChange(change);
    if (effect.kind !== 'command') return;
    const isCut = isCutOutput(item.output);
    if (isSuccess) for (const read of effect.reads) this.#noteRead(isCut ? { ...read, extent: PART } : read);
    if (!isSuccess || !effect.isOnlyReading) this.#noteCommand(effect.line, outcome);
  }

  #notePlan({ steps }: Extract<ToolEffect, { kind: 'plan' }>): void {
    const state = this.#state;
    state.plan = steps.slice(0, MOST_PLAN_STEPS).map(({ step, status }) => ({
      step: truncateMiddle(step, { mode: 'tokens', limit: STEP_TOKENS }),
      status,
    }));
    for (const { step, status } of state.plan) {
      if (status !== 'completed' || state.completedSteps.has(step)) continue;
      state.completedSteps.add(step);
      state.progress += 1;
    }
    for (const step of state.completedSteps) {
      if (state.completedSteps.size <= MOST_COMPLETED_STEPS) break;
      state.completedSteps.delete(step);
    }
  }

  #noteRead({ path, extent }: FileRead): void {
    const known = this.#state.files.get(path);
    if (known?.read === undefined) this.#state.progress += 1;
    const read = known?.read === undefined ? extent : mergeExtents(known.read, extent);
    // A look at the whole file makes up for whatever happened to it; a look at a part of it does not.
    const { isStale, hash, ...rest } = known ?? {};
    const rememberedHash = extent.isWhole || hash === undefined ? {} : { hash };
    const staleness = extent.isWhole || isStale === undefined ? {} : { isStale };
    this.#putFile(path, { ...rest, ...rememberedHash, ...staleness, read });
  }

  #noteChange({ path, kind }: FileChange): void {
    const { change, hash: _, ...rest } = this.#state.files.get(path) ?? {};
    // What this thread made stays its own making when it edits it further.
    const isStillAdded = change === 'added' && kind === 'changed';
    this.#putFile(path, { ...rest, change: isStillAdded ? 'added' : kind });
    // Further changes count by what they make of it, see `#noteDigest`.
    if (change === undefined) this.#state.progress += 1;
  }

  #noteCommand(script: string, outcome: CallOutcome): void {
    const state = this.#state;
    const line = commandLine(script);
    const known = state.commands.get(line);
    const isSuccess = outcome.kind === 'exit' && outcome.exitCode === 0;
    if (isSuccess && known?.hasSucceeded !== true) state.progress += 1;
    const command: Omit<LedgerCommand, 'order'> = {
      ...(outcome.kind === 'exit'
        ? { exitCode: outcome.exitCode }
        : { note: truncateMiddle(outcome.text, { mode: 'tokens', limit: OUTCOME_TOKENS }) }),
      runs: (known?.runs ?? 0) + 1,
      ...(isSuccess || known?.hasSucceeded === true ? { hasSucceeded: true as const } : {}),
    };
    state.droppedCommands += putNewest(state.commands, line, { ...command, order: this.#nextOrder() }, MOST_COMMANDS);
  }

  #putFile(path: string, file: Omit<LedgerFile, 'order'>): void {
    this.#undigested.delete(path);
    this.#undigested.add(path);
    const entry = { ...file, order: this.#nextOrder() };
    this.#state.droppedFiles += putNewest(this.#state.files, path, entry, MOST_FILES);
  }

  #nextOrder(): number {
    this.#state.order += 1;
    return this.#state.order;
  }

  async #digest(paths: readonly string[], digests: FileDigests, signal: AbortSignal): Promise<void> {
    const newestFirst = paths.toReversed();
    for (let start = 0; start < newestFirst.length; start += DIGESTS_AT_ONCE) {
      signal.throwIfAborted();
      await Promise.all(
        newestFirst.slice(start, start + DIGESTS_AT_ONCE).map(async (path) => {
          if (this.#state.files.get(path)?.change === 'deleted') return;
          const digest = await digests.digest(path, { signal });
          this.#noteDigest(path, digest?.hash);
        }),
      );
    }
  }

  #noteDigest(path: string, hash: string | undefined): void {
    const file = this.#state.files.get(path);
    if (file === undefined || file.hash === hash) return;
    const staleness = file.hash === undefined ? {} : { isStale: true as const };
    // In place: an entry does not become newer by being looked at.
    this.#state.files.set(path, {
      ...file,
      ...staleness,
      ...(hash === undefined ? {} : { hash, seenHashes: this.#withSeen(file, hash) }),
    });
  }

  /** A content that was not there before is progress of a file that is being changed; one that comes back is none. */
  #withSeen({ seenHashes = [], change }: LedgerFile, hash: string): readonly string[] {
    if (seenHashes.includes(hash)) return seenHashes;
    if (change !== undefined && seenHashes.length > 0) this.#state.progress += 1;
    return [...seenHashes, hash].slice(-MOST_SEEN_HASHES);
  }
}

/** Part of a file whose output was cut: which lines the model saw is not known. */
const PART: FileRead['extent'] = { isWhole: false, lines: [] };

function isCutOutput(output: ToolOutputItem['output']): boolean {
  const texts =
    typeof output === 'string' ? [output] : output.map((part) => (part.type === 'input_text' ? part.text : ''));
  return texts.some((text) => /…\d+ (?:tokens|chars) truncated…/.test(text));
}

function goalOf(message: MessageItem): string | undefined {
  const text = plainText(message);
  return text === '' || isSummaryText(text) ? undefined : truncateMiddle(text, { mode: 'tokens', limit: GOAL_TOKENS });
}

function commandLine(script: string): string {
  return truncateMiddle(script, { mode: 'tokens', limit: COMMAND_TOKENS });
}

/** Puts the entry last; gives back how many of the oldest had to go. */
function putNewest<Entry>(entries: Map<string, Entry>, key: string, entry: Entry, most: number): number {
  entries.delete(key);
  entries.set(key, entry);
  const oldest = entries.size > most ? entries.keys().next().value : undefined;
  return oldest !== undefined && entries.delete(oldest) ? 1 : 0;
}
