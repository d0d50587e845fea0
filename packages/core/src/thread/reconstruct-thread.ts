import {
  isJsonObject,
  type JsonObject,
  numberAt,
  objectAt,
  parseResponseItem,
  type ResponseItem,
  type RolloutEvent,
  type RolloutLine,
  type SessionMeta,
  type ThreadTokenUsage,
  type TokenUsage,
  type TurnContextLine,
  ZERO_USAGE,
} from '@quire/protocol';
import { isContextual, isUserTurnBoundary } from '../context/fragments.ts';
import { isToolOutput } from '../history/normalize-history.ts';
import { type HistoryEntry, type HistoryMark, replayHistory } from './replay-history.ts';
import { OUTPUT_AHEAD } from './rollout-events.ts';

/** What a thread knows when it is opened again. */
export interface ThreadSeed {
  readonly meta: SessionMeta | undefined;
  readonly history: readonly ResponseItem[];
  /** How many items of the history, from the first on, come from its last compaction. */
  readonly baseLength: number;
  /** Settings that the next turn is compared with; absent: the next turn tells everything. */
  readonly baseline: TurnContextLine | undefined;
  /** Model of the last regular turn that was not rolled back, and all settings of that turn. */
  readonly previousModel: string | undefined;
  readonly previousContext?: TurnContextLine | undefined;
  /** Turns of people in the history, as far back as was read. Absent: not counted. */
  readonly userTurns?: number;
  readonly usage: ThreadTokenUsage | undefined;
  /** The work ledger as the last compaction left it. */
  readonly ledger: JsonObject | undefined;
  /** Texts of messages in the history that are summaries, not a person's words. */
  readonly knownSummaries: readonly string[];
  /** The file ends inside a turn: the process that wrote it did not finish. */
  readonly endsInsideTurn: boolean;
}

/** Events that say something about the thread; the others are for screens. */
const NEEDED_EVENTS: ReadonlySet<string> = new Set([
  'task_started',
  'turn_started',
  'task_complete',
  'turn_complete',
  'turn_aborted',
  'token_count',
  'thread_rolled_back',
  'undo_completed',
  'user_message',
  OUTPUT_AHEAD,
]);

/** What one turn says about the settings; `cleared`: a compaction took them out of the history. */
type Baseline = { readonly context: TurnContextLine; readonly age: number } | 'cleared' | undefined;

/** A turn while it is read from its end. */
interface Turn {
  id: string | undefined;
  isUserTurn: boolean;
  context: TurnContextLine | undefined;
  baseline: Baseline;
  readonly compactions: Extract<HistoryMark, { kind: 'compaction' }>[];
  /** Its user message was met; only the context told before it can still belong to it. */
  hasBegun: boolean;
}

/** What stands between a `task_started` and the next newer one. */
interface Segment {
  /** Of the event that ended it. */
  endId: string | undefined;
  hasEnd: boolean;
  /** Newest first. More than one only while a rollback is pending: files without task events have no other limits. */
  readonly turns: [Turn, ...Turn[]];
}

/**
 * Rebuilds a thread from its rollout, from the newest line to the oldest, and says when older lines can not
 * change anything any more. Source: rollout facts, the table of the backward scan.
 */
export class ThreadReconstruction {
  #meta: SessionMeta | undefined;
  /** Newest first; ends with the compaction that replaced all before it. */
  readonly #entries: HistoryEntry[] = [];
  #hasBase = false;
  #pendingRollbacks = 0;
  /** Among the lines so far. */
  #hasRollback = false;
  #segment: Segment | undefined;
  #baseline: Baseline;
  #previousContext: TurnContextLine | undefined;
  #usage: ThreadTokenUsage | undefined;
  #endsInsideTurn: boolean | undefined;
  /** Lines taken so far. */
  #age = 0;

  /**
   * Whether lines of this kind can still matter; those that do not need not be decoded.
   * @param payloadType the `type` of the payload of an event or item
   */
  needs(lineType: string, payloadType: string | undefined): boolean {
    if (payloadType === undefined) return true;
    if (lineType === 'event_msg') return NEEDED_EVENTS.has(payloadType);
    if (lineType !== 'response_item' || !this.#hasBase) return true;
    return payloadType === 'message' || payloadType === 'agent_message';
  }

  /** `enough`: older lines change nothing. */
  addOlder(line: RolloutLine): 'continue' | 'enough' {
    this.#age += 1;
    switch (line.type) {
      case 'session_meta':
        this.#meta = line.payload;
        break;
      case 'response_item':
        this.#addItem(line.payload);
        break;
      case 'turn_context':
        this.#addContext(line.payload);
        break;
      case 'compacted':
        this.#addCompaction({ kind: 'compaction', line: line.payload, isUndone: false });
        break;
      case 'event_msg':
        this.#addEvent(line.payload);
    }
    return this.#isEnough() ? 'enough' : 'continue';
  }

  /** @param header of the file, which may not have been among the lines */
  finish(header?: SessionMeta): ThreadSeed {
    this.#closeSegment(this.#segment?.hasEnd === true ? 'as-one' : 'turn-by-turn');
    const replayed = replayHistory(this.#entries.reverse());
    return {
      meta: header ?? this.#meta,
      history: replayed.items,
      baseLength: replayed.baseLength,
      baseline: this.#survivingBaseline(replayed),
      previousModel: this.#previousContext?.model,
      previousContext: this.#previousContext,
      usage: this.#usage,
      ledger: replayed.ledger,
      knownSummaries: replayed.summaries,
      userTurns: replayed.userTurns,
      endsInsideTurn: this.#endsInsideTurn ?? false,
    };
  }

  #survivingBaseline(replayed: {
    readonly hasOldCompaction: boolean;
    readonly contextCutAge: number | undefined;
  }): TurnContextLine | undefined {
    const baseline = this.#baseline;
    if (baseline === undefined || baseline === 'cleared' || replayed.hasOldCompaction) return undefined;
    const wasCut = replayed.contextCutAge !== undefined && replayed.contextCutAge < baseline.age;
    return wasCut ? undefined : baseline.context;
  }

  #isEnough(): boolean {
    if (!this.#hasBase || this.#pendingRollbacks > 0 || this.#endsInsideTurn === undefined) return false;
    const open = this.#segment?.turns[0];
    const knowsModel = this.#previousContext !== undefined || (open?.isUserTurn === true && open.context !== undefined);
    const knowsBaseline = this.#baseline !== undefined || (open !== undefined && tellsBaseline(open));
    return knowsModel && knowsBaseline;
  }

  #addItem(item: ResponseItem): void {
    const turn = this.#turnOf(this.#pendingRollbacks > 0 && isContextual(item) ? 'context' : 'work');
    if (isUserTurnBoundary(item)) {
      turn.isUserTurn = true;
      turn.hasBegun = true;
    }
    this.#addEntry(item);
  }

  #addContext(context: TurnContextLine): void {
    const turn = this.#turnOf('context');
    turn.id ??= context.turn_id;
    if (!isSameTurn(this.#segment?.endId ?? turn.id, context.turn_id)) return;
    turn.context ??= context;
    turn.baseline ??= { context, age: this.#age };
  }

  #addCompaction(mark: Extract<HistoryMark, { kind: 'compaction' }>): void {
    const turn = this.#turnOf('work');
    turn.baseline ??= 'cleared';
    turn.compactions.push(mark);
    this.#addEntry(mark);
    // A rollback closes what is open before it counts, so this turn stays.
    if (this.#pendingRollbacks === 0 && mark.line.replacement_history !== undefined) this.#hasBase = true;
  }

  #addEvent(event: RolloutEvent): void {
    const id = typeof event['turn_id'] === 'string' ? event['turn_id'] : undefined;
    switch (event.type) {
      case 'task_started':
      case 'turn_started':
        this.#addEntry({ kind: 'task-start' });
        this.#beginTask(id);
        return;
      case 'task_complete':
      case 'turn_complete':
      case 'turn_aborted':
        this.#endTask(id);
        return;
      case 'user_message':
        this.#turnOf('work').isUserTurn = true;
        return;
      case 'token_count':
        this.#noteUsage(readUsage(event['info']));
        return;
      case 'undo_completed': {
        const id = event['snapshot_id'];
        const snapshotId = typeof id === 'string' ? id : undefined;
        if (event['success'] === true) this.#addEntry({ kind: 'undo', snapshotId });
        return;
      }
      case OUTPUT_AHEAD:
        this.#addOutputAhead(event['item']);
        return;
      case 'thread_rolled_back':
        this.#rollBack(event['num_turns']);
    }
  }

  #addOutputAhead(item: unknown): void {
    const output = parseResponseItem(item);
    if (output !== undefined && isToolOutput(output)) this.#addEntry({ kind: 'output-ahead', output });
  }

  /** What was spent on turns that are gone was spent; the size of the history is another one without them. */
  #noteUsage(usage: ThreadTokenUsage | undefined): void {
    if (this.#usage !== undefined || usage === undefined) return;
    this.#usage = this.#hasRollback ? { ...usage, last: ZERO_USAGE } : usage;
  }

  #beginTask(id: string | undefined): void {
    this.#endsInsideTurn ??= true;
    const open = this.#segment;
    if (open !== undefined && isSameTurn(open.endId ?? open.turns[0].id, id)) this.#closeSegment('as-one');
  }

  #endTask(id: string | undefined): void {
    this.#endsInsideTurn ??= false;
    const open = this.#segment;
    if (open !== undefined) {
      const openId = open.endId ?? open.turns[0].id;
      const isOther = open.hasEnd ? openId === undefined || openId !== id : !isSameTurn(openId, id);
      // The line that began the newer task is lost.
      if (isOther) this.#closeSegment(open.hasEnd ? 'as-one' : 'turn-by-turn');
    }
    this.#segment ??= { endId: undefined, hasEnd: true, turns: [emptyTurn()] };
    this.#segment.hasEnd = true;
    this.#segment.endId ??= id;
  }

  #rollBack(turns: unknown): void {
    if (typeof turns !== 'number' || !(turns >= 1)) return;
    this.#hasRollback = true;
    this.#closeSegment(this.#segment?.hasEnd === true ? 'as-one' : 'turn-by-turn');
    this.#pendingRollbacks += Math.floor(turns);
    this.#addEntry({ kind: 'rollback', turns, age: this.#age });
  }

  /** The turn that a line belongs to. Context stands before the user message of its turn. */
  #turnOf(kind: 'context' | 'work'): Turn {
    this.#segment ??= { endId: undefined, hasEnd: false, turns: [emptyTurn()] };
    const { turns } = this.#segment;
    const oldest = turns.at(-1) ?? turns[0];
    if (this.#pendingRollbacks === 0 || !oldest.hasBegun || kind === 'context') return oldest;
    const older = emptyTurn();
    turns.push(older);
    return older;
  }

  #closeSegment(how: 'as-one' | 'turn-by-turn'): void {
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment === undefined) return;
    for (const turn of how === 'as-one' ? [asOne(segment.turns)] : segment.turns) this.#settle(turn);
  }

  #settle(turn: Turn): void {
    if (this.#pendingRollbacks > 0) {
      if (turn.isUserTurn) this.#pendingRollbacks -= 1;
      for (const compaction of turn.compactions) compaction.isUndone = true;
      return;
    }
    if (turn.isUserTurn) this.#previousContext ??= turn.context;
    if (tellsBaseline(turn)) this.#baseline ??= turn.baseline;
  }

  #addEntry(entry: HistoryEntry): void {
    if (this.#hasBase) return;
    this.#entries.push(entry);
  }
}

function emptyTurn(): Turn {
  return {
    id: undefined,
    isUserTurn: false,
    context: undefined,
    baseline: undefined,
    compactions: [],
    hasBegun: false,
  };
}

/** @param turns newest first */
function asOne(turns: readonly Turn[]): Turn {
  const whole = emptyTurn();
  for (const turn of turns) {
    whole.isUserTurn ||= turn.isUserTurn;
    whole.context ??= turn.context;
    whole.baseline ??= turn.baseline;
    whole.compactions.push(...turn.compactions);
  }
  return whole;
}

/** A turn without a user message moves nothing, but a compaction in it does. */
function tellsBaseline(turn: Turn): boolean {
  return turn.baseline === 'cleared' || (turn.isUserTurn && turn.baseline !== undefined);
}

/** Old files give no ids. */
function isSameTurn(left: string | undefined, right: string | undefined): boolean {
  return left === undefined || right === undefined || left === right;
}

function readUsage(info: unknown): ThreadTokenUsage | undefined {
  if (!isJsonObject(info)) return undefined;
  const total = objectAt(info, 'total_token_usage');
  const last = objectAt(info, 'last_token_usage');
  if (total === undefined || last === undefined) return undefined;
  return { total: tokenUsage(total), last: tokenUsage(last), contextWindow: numberAt(info, 'model_context_window') };
}

function tokenUsage(raw: JsonObject): TokenUsage {
  const cacheWrites = numberAt(raw, 'cache_write_input_tokens');
  return {
    inputTokens: numberAt(raw, 'input_tokens') ?? 0,
    cachedInputTokens: numberAt(raw, 'cached_input_tokens') ?? 0,
    ...(cacheWrites === undefined ? {} : { cacheWriteInputTokens: cacheWrites }),
    outputTokens: numberAt(raw, 'output_tokens') ?? 0,
    reasoningOutputTokens: numberAt(raw, 'reasoning_output_tokens') ?? 0,
    totalTokens: numberAt(raw, 'total_tokens') ?? 0,
  };
}
