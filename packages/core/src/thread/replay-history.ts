import type { CompactedLine, JsonObject, ResponseItem, ToolOutputItem } from '@quire/protocol';
import { isUpdateMessage, isUserTurnBoundary } from '../context/fragments.ts';
import { withoutLastUserTurns } from '../history/cut-history.ts';
import { plainText, userText } from '../history/message-text.ts';
import { isToolCall, isToolOutput } from '../history/normalize-history.ts';

/** What happens to a history besides that an item is added. */
export type HistoryMark =
  /** What a tool gave, kept until its item is written in its place: an item only if the process died before. */
  | { readonly kind: 'output-ahead'; readonly output: ToolOutputItem }
  | { readonly kind: 'task-start' }
  | { readonly kind: 'rollback'; readonly turns: number; readonly age: number }
  /** The files were put back to this snapshot, so it is used up. */
  | { readonly kind: 'undo'; readonly snapshotId: string | undefined }
  /** `isUndone`: a rollback went over it, so it never happened. */
  | { readonly kind: 'compaction'; readonly line: CompactedLine; isUndone: boolean };

export type HistoryEntry = ResponseItem | HistoryMark;

export interface ReplayedHistory {
  readonly items: readonly ResponseItem[];
  /** How many of the items, from the first on, a compaction put there. */
  readonly baseLength: number;
  readonly ledger: JsonObject | undefined;
  readonly summaries: readonly string[];
  /** Turns of people in the history. */
  readonly userTurns: number;
  /** A compaction of the old form was replayed: what the model still knows of the context can not be told. */
  readonly hasOldCompaction: boolean;
  /** Age of the newest rollback that took context away which only a full context tells again. */
  readonly contextCutAge: number | undefined;
}

/** @param entries in the order of the file */
export function replayHistory(entries: Iterable<HistoryEntry>): ReplayedHistory {
  const replay = new Replay();
  for (const entry of entries) replay.add(entry);
  return replay.finish();
}

class Replay {
  #items: ResponseItem[] = [];
  #baseLength = 0;
  #ledger: JsonObject | undefined;
  readonly #summaries = new Set<string>();
  #hasOldCompaction = false;
  #contextCutAge: number | undefined;
  /** Under which id the newest call of an id of the file stands. */
  readonly #callIds = new Map<string, string>();
  readonly #takenIds = new Set<string>();
  /** Where each turn's first message stands. */
  #turnStarts: number[] = [];
  /** Of a file that tells where its tasks begin: whether the current one is a turn yet. */
  #task: 'unknown' | 'begun' | 'has-turn' = 'unknown';
  /** Outputs kept ahead that no item was seen of, by the id of their call in the file. */
  readonly #ahead = new Map<string, ToolOutputItem>();

  add(entry: HistoryEntry): void {
    if ('type' in entry) this.#addItem(entry);
    else if (entry.kind === 'output-ahead') this.#ahead.set(entry.output.call_id, entry.output);
    else if (entry.kind === 'task-start') this.#beginTask();
    else if (entry.kind === 'undo') this.#dropSnapshot(entry.snapshotId);
    else if (entry.kind === 'rollback') this.#dropUserTurns(entry.turns, entry.age);
    else if (!entry.isUndone) this.#compact(entry.line);
  }

  finish(): ReplayedHistory {
    this.#addWhatIsAhead();
    this.#dropUntoldContext();
    return {
      items: this.#items,
      baseLength: this.#baseLength,
      ledger: this.#ledger,
      summaries: [...this.#summaries],
      userTurns: this.#turnStarts.length,
      hasOldCompaction: this.#hasOldCompaction,
      contextCutAge: this.#contextCutAge,
    };
  }

  #addItem(item: ResponseItem): void {
    if (isToolOutput(item)) this.#ahead.delete(item.call_id);
    if (isUserTurnBoundary(item)) this.#noteTurn();
    this.#items.push(this.#withUniqueCallId(item));
  }

  #addWhatIsAhead(): void {
    for (const output of [...this.#ahead.values()]) this.#addItem(output);
  }

  #beginTask(): void {
    this.#addWhatIsAhead();
    this.#dropUntoldContext();
    this.#task = 'begun';
  }

  /** What is said while a turn runs belongs to it. Files without tasks tell no turns apart but by messages. */
  #noteTurn(): void {
    if (this.#task !== 'has-turn') this.#turnStarts.push(this.#items.length);
    if (this.#task === 'begun') this.#task = 'has-turn';
  }

  #isSummary(item: ResponseItem): boolean {
    return item.type === 'message' && this.#summaries.has(plainText(item));
  }

  /** Messages of people in the last turns, which is what a history is cut by. */
  #messagesOfTurns(turns: number): number {
    const start = this.#turnStarts.at(-turns) ?? 0;
    return this.#items.slice(start).filter(isUserTurnBoundary).length;
  }

  /** Some servers count anew with each response, and two calls of one id can not both be answered. */
  #withUniqueCallId(item: ResponseItem): ResponseItem {
    if (isToolOutput(item)) {
      const current = this.#callIds.get(item.call_id);
      return current === undefined || current === item.call_id ? item : { ...item, call_id: current };
    }
    if (!isToolCall(item) || item.call_id === undefined) return item;
    const wanted = item.call_id;
    let callId = wanted;
    for (let copy = 2; this.#takenIds.has(callId); copy += 1) callId = `${wanted}-${copy}`;
    this.#takenIds.add(callId);
    this.#callIds.set(wanted, callId);
    return callId === wanted ? item : { ...item, call_id: callId };
  }

  /**
   * What was told before a turn that never came, because the process died or the turn was rolled back: the next
   * turn tells it again.
   */
  #dropUntoldContext(): void {
    let length = this.#items.length;
    for (let last = this.#items[length - 1]; last !== undefined && isUpdateMessage(last); ) {
      length -= 1;
      last = this.#items[length - 1];
    }
    this.#items.length = length;
    this.#baseLength = Math.min(this.#baseLength, length);
  }

  #compact(line: CompactedLine): void {
    this.#ahead.clear();
    const { message, replacement_history: replacement } = line;
    if (replacement === undefined) {
      this.#hasOldCompaction = true;
      const said = this.#items.filter((item) => isUserTurnBoundary(item) && !this.#isSummary(item));
      this.#items = [...said, userText(message)];
    } else {
      this.#items = [...replacement];
      for (const item of replacement)
        if (isToolCall(item) && item.call_id !== undefined) this.#takenIds.add(item.call_id);
    }
    if (message !== '') this.#summaries.add(message);
    const isSaid = (item: ResponseItem): boolean => isUserTurnBoundary(item) && !this.#isSummary(item);
    this.#turnStarts = this.#items.flatMap((item, index) => (isSaid(item) ? [index] : []));
    this.#ledger = line.ledger;
    this.#baseLength = this.#items.length;
  }

  /** The newest one, where the file does not say which. */
  #dropSnapshot(id: string | undefined): void {
    const index = this.#items.findLastIndex(
      (item) => item.type === 'ghost_snapshot' && (id === undefined || item.ghost_commit['id'] === id),
    );
    if (index === -1) return;
    this.#items.splice(index, 1);
    if (index < this.#baseLength) this.#baseLength -= 1;
  }

  #dropUserTurns(turns: number, age: number): void {
    this.#addWhatIsAhead();
    const kept = withoutLastUserTurns(this.#items, this.#messagesOfTurns(turns));
    if (!kept.changed) return;
    this.#items = [...kept.items];
    this.#dropUntoldContext();
    this.#turnStarts = this.#turnStarts.filter((start) => start < this.#items.length);
    this.#baseLength = Math.min(this.#baseLength, this.#items.length);
    if (kept.clearsBaseline) this.#contextCutAge = age;
  }
}
