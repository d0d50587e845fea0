import {
  assertNever,
  type CommandStatus,
  type FileChangeStatus,
  type JsonObject,
  type JsonValue,
  type PlanStep,
  stringAt,
  type ThreadEvent,
  type ThreadTokenUsage,
  type TurnItem,
  type TurnOutcome,
  ZERO_USAGE,
} from '@quire/protocol';
import { type JsonRequestReceipt, receiptToJson } from './turn-receipt.ts';

/**
 * The lines of `quire exec --json`. Names, shapes and key order are those that clients of the event
 * stream read. Source: recorded streams of version 0.169 and its TypeScript SDK.
 */
export type JsonEvent =
  | { readonly type: 'thread.started'; readonly thread_id: string }
  | { readonly type: 'turn.started' }
  | { readonly type: 'item.started' | 'item.updated' | 'item.completed'; readonly item: JsonItem }
  | { readonly type: 'turn.completed'; readonly usage: JsonUsage }
  | { readonly type: 'turn.failed'; readonly error: { readonly message: string } }
  | { readonly type: 'turn.interrupted' }
  /** Ours, and only on request. */
  | { readonly type: 'turn.receipt'; readonly requests: readonly JsonRequestReceipt[] }
  | { readonly type: 'error'; readonly message: string };

export interface JsonUsage {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly cache_write_input_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_output_tokens: number;
}

type JsonStatus = 'in_progress' | 'completed' | 'failed' | 'declined';

export type JsonItem = { readonly id: string } & (
  | { readonly type: 'agent_message' | 'reasoning'; readonly text: string }
  | {
      readonly type: 'command_execution';
      readonly command: string;
      readonly aggregated_output: string;
      readonly exit_code: number | null;
      readonly status: JsonStatus;
    }
  | {
      readonly type: 'file_change';
      readonly changes: readonly { readonly path: string; readonly kind: 'add' | 'delete' | 'update' }[];
      readonly status: Exclude<JsonStatus, 'declined'>;
    }
  | {
      readonly type: 'mcp_tool_call';
      readonly server: string;
      readonly tool: string;
      readonly arguments: JsonValue;
      readonly result: JsonObject | null;
      readonly error: { readonly message: string } | null;
      readonly status: Exclude<JsonStatus, 'declined'>;
    }
  | { readonly type: 'web_search'; readonly query: string; readonly action: JsonObject }
  | { readonly type: 'todo_list'; readonly items: readonly { readonly text: string; readonly completed: boolean }[] }
  | { readonly type: 'error'; readonly message: string }
);

type CommandItem = Extract<TurnItem, { kind: 'command-execution' }>;
type FileChangeItem = Extract<TurnItem, { kind: 'file-change' }>;
type McpToolItem = Extract<TurnItem, { kind: 'mcp-tool-call' }>;
type WebSearchItem = Extract<TurnItem, { kind: 'web-search' }>;

const NONE: readonly JsonEvent[] = [];

/**
 * Maps the events of one run to JSON lines. Pure: same events, same lines.
 * Every started item is completed before the one terminal event of the turn.
 */
export class JsonEventMapper {
  #nextNumber = 0;
  /** Shown ids of the items that have begun and not ended. An id may come again for another item after that. */
  readonly #shownIds = new Map<string, string>();
  /** Commands, patches and calls of servers that were started and are not completed yet. */
  readonly #open = new Map<string, CommandItem | FileChangeItem | McpToolItem>();
  #plan: { readonly id: string; steps: readonly PlanStep[] } | undefined;
  #usage: ThreadTokenUsage | undefined;
  #hasMessage = false;
  readonly #withReceipt: boolean;

  constructor(options: { readonly withReceipt: boolean }) {
    this.#withReceipt = options.withReceipt;
  }

  opened(facts: { readonly threadId: string; readonly warnings: readonly string[] }): readonly JsonEvent[] {
    const warnings = facts.warnings.map((message) => this.#errorItem(message));
    return [{ type: 'thread.started', thread_id: facts.threadId }, ...warnings];
  }

  event(event: ThreadEvent): readonly JsonEvent[] {
    switch (event.kind) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'command-output-delta':
      case 'thread-start':
      case 'rate-limits':
      case 'turn-diff':
      case 'model-waiting':
      case 'turn-end':
        return NONE;
      case 'turn-receipt':
        return this.#withReceipt ? [{ type: 'turn.receipt', requests: event.requests.map(receiptToJson) }] : NONE;
      case 'turn-start':
        return [{ type: 'turn.started' }];
      case 'item-start':
        return this.#itemStarted(event.item);
      case 'item-update':
        return event.item.kind === 'plan' ? this.#planChanged(event.item.steps) : NONE;
      case 'item-end':
        return this.#itemEnded(event.item);
      case 'token-usage':
        this.#usage = event.usage;
        return NONE;
      case 'stream-retry': {
        const { attempt, maxAttempts, cause } = event;
        return [{ type: 'error', message: `Reconnecting... ${attempt}/${maxAttempts} (${cause.message})` }];
      }
      case 'warning':
        return [this.#errorItem(event.message)];
      default:
        return assertNever(event, 'JsonEventMapper.event');
    }
  }

  ended(outcome: TurnOutcome): readonly JsonEvent[] {
    const settled = [...this.#open.values()].flatMap((item) => this.#itemEnded({ ...item, status: 'failed' }));
    if (outcome.kind === 'completed') settled.push(...this.#unsaid(outcome.lastAgentMessage));
    if (this.#plan !== undefined) settled.push({ type: 'item.completed', item: planItem(this.#plan) });
    this.#plan = undefined;
    switch (outcome.kind) {
      case 'completed':
        return [...settled, { type: 'turn.completed', usage: this.#jsonUsage() }];
      case 'failed': {
        const { message } = outcome.failure;
        return [{ type: 'error', message }, ...settled, { type: 'turn.failed', error: { message } }];
      }
      case 'interrupted':
        return [...settled, { type: 'turn.interrupted' }];
      default:
        return assertNever(outcome, 'JsonEventMapper.ended');
    }
  }

  /** What a task other than a turn came to is its message: the findings of a review, what an undo did. */
  #unsaid(message: string | undefined): readonly JsonEvent[] {
    if (message === undefined || this.#hasMessage) return NONE;
    return completed({ id: this.#takeNumber(), type: 'agent_message', text: message });
  }

  #itemStarted(item: TurnItem): readonly JsonEvent[] {
    switch (item.kind) {
      case 'command-execution':
        this.#open.set(item.id, item);
        return [{ type: 'item.started', item: commandItem(this.#shownId(item.id), item) }];
      case 'file-change':
        this.#open.set(item.id, item);
        return [{ type: 'item.started', item: fileChangeItem(this.#shownId(item.id), item) }];
      case 'mcp-tool-call':
        this.#open.set(item.id, item);
        return [{ type: 'item.started', item: mcpToolItem(this.#shownId(item.id), item) }];
      case 'web-search':
        this.#shownId(item.id);
        return [{ type: 'item.started', item: webSearchItem(item) }];
      case 'plan':
        return this.#planChanged(item.steps);
      case 'user-message':
      case 'agent-message':
      case 'reasoning':
      case 'tool-error':
      case 'context-compaction':
      case 'review-start':
      case 'review-end':
      case 'sub-agent':
      case 'dynamic-tool-call':
      case 'javascript':
      case 'image-view':
        return NONE;
      default:
        return assertNever(item, 'JsonEventMapper.itemStarted');
    }
  }

  #itemEnded(item: TurnItem): readonly JsonEvent[] {
    switch (item.kind) {
      case 'user-message':
      case 'context-compaction':
      case 'review-start':
      case 'review-end':
      case 'sub-agent':
      case 'dynamic-tool-call':
      case 'javascript':
      case 'image-view':
        return NONE;
      case 'agent-message':
        this.#hasMessage = true;
        return completed({ id: this.#lastShownId(item.id), type: 'agent_message', text: item.text });
      case 'reasoning': {
        const text = item.summary.join('\n');
        if (text.trim() === '') return NONE;
        return completed({ id: this.#lastShownId(item.id), type: 'reasoning', text });
      }
      case 'command-execution':
        this.#open.delete(item.id);
        return completed(commandItem(this.#lastShownId(item.id), item));
      case 'file-change':
        this.#open.delete(item.id);
        return completed(fileChangeItem(this.#lastShownId(item.id), item));
      case 'mcp-tool-call':
        this.#open.delete(item.id);
        return completed(mcpToolItem(this.#lastShownId(item.id), item));
      case 'web-search':
        this.#lastShownId(item.id);
        return completed(webSearchItem(item));
      case 'plan':
        return this.#planChanged(item.steps);
      case 'tool-error':
        return [this.#errorItem(item.message)];
      default:
        return assertNever(item, 'JsonEventMapper.itemEnded');
    }
  }

  /** One list per turn: started by the first plan, updated by each different one, completed by the end of the turn. */
  #planChanged(steps: readonly PlanStep[]): readonly JsonEvent[] {
    if (this.#plan === undefined) {
      this.#plan = { id: this.#takeNumber(), steps };
      return [{ type: 'item.started', item: planItem(this.#plan) }];
    }
    if (sameSteps(this.#plan.steps, steps)) return NONE;
    this.#plan.steps = steps;
    return [{ type: 'item.updated', item: planItem(this.#plan) }];
  }

  #errorItem(message: string): JsonEvent {
    return { type: 'item.completed', item: { id: this.#takeNumber(), type: 'error', message } };
  }

  /** Numbers count items by first appearance. */
  #takeNumber(): string {
    const id = `item_${this.#nextNumber}`;
    this.#nextNumber += 1;
    return id;
  }

  #shownId(itemId: string): string {
    const known = this.#shownIds.get(itemId);
    if (known !== undefined) return known;
    const id = this.#takeNumber();
    this.#shownIds.set(itemId, id);
    return id;
  }

  /** For the end of an item. */
  #lastShownId(itemId: string): string {
    const id = this.#shownId(itemId);
    this.#shownIds.delete(itemId);
    return id;
  }

  #jsonUsage(): JsonUsage {
    const total = this.#usage?.total ?? ZERO_USAGE;
    return {
      input_tokens: total.inputTokens,
      cached_input_tokens: total.cachedInputTokens,
      cache_write_input_tokens: total.cacheWriteInputTokens ?? 0,
      output_tokens: total.outputTokens,
      reasoning_output_tokens: total.reasoningOutputTokens,
    };
  }
}

function completed(item: JsonItem): readonly JsonEvent[] {
  return [{ type: 'item.completed', item }];
}

function jsonStatus(status: CommandStatus | FileChangeStatus): JsonStatus {
  return status === 'in-progress' ? 'in_progress' : status;
}

function commandItem(id: string, item: CommandItem): JsonItem {
  return {
    id,
    type: 'command_execution',
    command: item.command,
    aggregated_output: item.output,
    exit_code: item.exitCode ?? null,
    status: jsonStatus(item.status),
  };
}

function fileChangeItem(id: string, item: FileChangeItem): JsonItem {
  const status = jsonStatus(item.status);
  return {
    id,
    type: 'file_change',
    changes: item.changes.map(({ path, kind }) => ({ path, kind })),
    status: status === 'declined' ? 'failed' : status,
  };
}

function mcpToolItem(id: string, item: McpToolItem): JsonItem {
  const status = jsonStatus(item.status);
  return {
    id,
    type: 'mcp_tool_call',
    server: item.server,
    tool: item.tool,
    arguments: item.arguments,
    result: item.result ?? null,
    error: item.error === undefined ? null : { message: item.error },
    status: status === 'declined' ? 'failed' : status,
  };
}

/** Shows the provider's id, unlike all other items. */
function webSearchItem(item: WebSearchItem): JsonItem {
  const action = stringAt(item.action, 'type') === undefined ? { type: 'other' } : item.action;
  return { id: item.id, type: 'web_search', query: item.query, action };
}

function planItem(plan: { readonly id: string; readonly steps: readonly PlanStep[] }): JsonItem {
  const items = plan.steps.map(({ step, status }) => ({ text: step, completed: status === 'completed' }));
  return { id: plan.id, type: 'todo_list', items };
}

function sameSteps(left: readonly PlanStep[], right: readonly PlanStep[]): boolean {
  return (
    left.length === right.length &&
    left.every((step, index) => step.step === right[index]?.step && step.status === right[index]?.status)
  );
}
