import {
  isJsonObject,
  type JsonObject,
  numberAt,
  objectAt,
  type ResponseItem,
  type RolloutEvent,
  type RolloutLine,
  type SessionMeta,
  type ThreadTokenUsage,
  type TokenUsage,
  type TurnContextLine,
} from '@quire/protocol';
import { isUserTurnBoundary } from '../context/fragments.ts';
import { isToolCall, isToolOutput } from '../history/normalize-history.ts';

/** What a thread knows when it is opened again. */
export interface ThreadSeed {
  readonly meta: SessionMeta | undefined;
  readonly history: readonly ResponseItem[];
  /** Settings that the next turn is compared with; absent: the next turn tells everything. */
  readonly baseline: TurnContextLine | undefined;
  readonly usage: ThreadTokenUsage | undefined;
  /** The file ends inside a turn: the process that wrote it did not finish. */
  readonly endsInsideTurn: boolean;
}

/**
 * Rebuilds a thread from its rollout, line by line in file order, keeping only what the next turn needs.
 * Unknown lines were already left out by the reader.
 */
export class ThreadReconstruction {
  #meta: SessionMeta | undefined;
  #history: ResponseItem[] = [];
  #baseline: TurnContextLine | undefined;
  #usage: ThreadTokenUsage | undefined;
  #insideTurn = false;
  /** Where the current sampling attempt began: its outputs are moved behind its calls. */
  #attemptStart = 0;

  add(line: RolloutLine): void {
    switch (line.type) {
      case 'session_meta':
        this.#meta ??= line.payload;
        return;
      case 'response_item':
        this.#addItem(line.payload);
        return;
      case 'turn_context':
        this.#baseline = line.payload;
        return;
      case 'compacted':
        this.#replaceHistory(line.payload.replacement_history, line.payload.message);
        return;
      case 'event_msg':
        this.#addEvent(line.payload);
    }
  }

  finish(): ThreadSeed {
    this.#endAttempt();
    return {
      meta: this.#meta,
      history: this.#history,
      baseline: this.#baseline,
      usage: this.#usage,
      endsInsideTurn: this.#insideTurn,
    };
  }

  #addItem(item: ResponseItem): void {
    const fromModel = item.type !== 'message' || item.role === 'assistant';
    if (!fromModel) this.#endAttempt();
    this.#history.push(item);
    if (!fromModel) this.#attemptStart = this.#history.length;
  }

  #addEvent(event: RolloutEvent): void {
    switch (event.type) {
      case 'task_started':
      case 'turn_started':
        this.#insideTurn = true;
        break;
      case 'task_complete':
      case 'turn_complete':
      case 'turn_aborted':
        this.#insideTurn = false;
        break;
      case 'token_count':
        this.#usage = readUsage(event['info']) ?? this.#usage;
        break;
      case 'thread_rolled_back':
        this.#dropUserTurns(event['num_turns']);
        return;
      default:
        return;
    }
    this.#endAttempt();
  }

  /**
   * Outputs are on disk in the order in which tools finished; requests were sent with them after the
   * attempt's last item, in call order. The same order again keeps the prompt prefix identical.
   */
  #endAttempt(): void {
    const start = this.#attemptStart;
    this.#attemptStart = this.#history.length;
    const attempt = this.#history.slice(start);
    const outputs = attempt.filter(isToolOutput);
    if (outputs.length === 0) return;
    const callOrder = new Map<string, number>();
    for (const item of attempt)
      if (isToolCall(item) && item.call_id !== undefined) callOrder.set(item.call_id, callOrder.size);
    const rank = (callId: string): number => callOrder.get(callId) ?? -1;
    outputs.sort((left, right) => rank(left.call_id) - rank(right.call_id));
    this.#history.length = start;
    for (const item of attempt) if (!isToolOutput(item)) this.#history.push(item);
    this.#history.push(...outputs);
    this.#attemptStart = this.#history.length;
  }

  #replaceHistory(replacement: readonly ResponseItem[] | undefined, message: string): void {
    this.#history =
      replacement === undefined ? [...this.#history.filter(isUserTurnBoundary), userText(message)] : [...replacement];
    this.#attemptStart = this.#history.length;
    this.#baseline = undefined;
  }

  #dropUserTurns(count: unknown): void {
    if (typeof count !== 'number' || count < 1) return;
    const boundaries: number[] = [];
    this.#history.forEach((item, index) => {
      if (isUserTurnBoundary(item)) boundaries.push(index);
    });
    const cut = boundaries[Math.max(0, boundaries.length - count)];
    if (cut === undefined) return;
    this.#history.length = cut;
    this.#attemptStart = cut;
    // What the dropped turns had told the model is gone with them: the next turn tells everything again.
    this.#baseline = undefined;
  }
}

function userText(text: string): ResponseItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

function readUsage(info: unknown): ThreadTokenUsage | undefined {
  if (!isJsonObject(info)) return undefined;
  const total = objectAt(info, 'total_token_usage');
  const last = objectAt(info, 'last_token_usage');
  if (total === undefined || last === undefined) return undefined;
  return { total: tokenUsage(total), last: tokenUsage(last), contextWindow: numberAt(info, 'model_context_window') };
}

function tokenUsage(raw: JsonObject): TokenUsage {
  return {
    inputTokens: numberAt(raw, 'input_tokens') ?? 0,
    cachedInputTokens: numberAt(raw, 'cached_input_tokens') ?? 0,
    outputTokens: numberAt(raw, 'output_tokens') ?? 0,
    reasoningOutputTokens: numberAt(raw, 'reasoning_output_tokens') ?? 0,
    totalTokens: numberAt(raw, 'total_tokens') ?? 0,
  };
}
