import type { ResponseItem, ToolCallItem, ToolOutputItem } from '@quire/protocol';
import { History } from '../history/history.ts';
import { UNKNOWN_OUTCOME } from '../history/normalize-history.ts';
import type { Clock } from '../ports/clock.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import type { ToolResult } from '../tools/tool.ts';
import type { CallContext, ToolRouter } from '../tools/tool-router.ts';
import type { ThreadRecord } from './thread-record.ts';
import type { TurnEvents } from './turn-events.ts';

/** How long an interrupted turn waits for a tool that does not stop. Milliseconds. */
const ABORT_PATIENCE_MS = 5_000;

interface RunningCall {
  readonly call: ToolCallItem;
  readonly callId: string;
  done: Promise<void>;
  output: ResponseItem | undefined;
}

/**
 * The tool calls of one sampling attempt. They start while the stream still runs; each output is on disk
 * as soon as its tool is done. They are recorded behind the attempt's last item, in call order: one whose place has
 * not come yet is kept on disk ahead of it. Source: parallel tool calls.
 */
export class ToolCalls {
  /** Those whose outputs are not recorded yet, in call order. */
  readonly #running: RunningCall[] = [];
  #streamEnded = false;
  readonly #router: ToolRouter;
  readonly #record: ThreadRecord;
  readonly #events: TurnEvents;
  readonly #context: CallContext;

  constructor(parts: {
    readonly router: ToolRouter;
    readonly record: ThreadRecord;
    readonly events: TurnEvents;
    readonly context: CallContext;
  }) {
    this.#router = parts.router;
    this.#record = parts.record;
    this.#events = parts.events;
    this.#context = parts.context;
  }

  /** `call` is in history already. */
  start(call: ToolCallItem, callId: string): void {
    this.#streamEnded = false;
    const running: RunningCall = { call, callId, output: undefined, done: Promise.resolve() };
    running.done = this.#serve(running);
    this.#running.push(running);
  }

  async #serve(running: RunningCall): Promise<void> {
    const result = await this.#router.dispatch(running.call, this.#context);
    // A call that was given up on after an abort has its output already.
    if (running.output === undefined) this.#finish(running, result);
  }

  #finish(running: RunningCall, { output, endItem }: ToolResult): void {
    const { call, callId } = running;
    running.output = History.prepare(outputItem(call, callId, output), effectiveTruncation(this.#context.settings));
    this.#recordDue();
    if (this.#running.includes(running)) this.#record.writeAhead(running.output);
    if (endItem !== undefined) this.#events.end(endItem);
  }

  #recordDue(): void {
    if (!this.#streamEnded) return;
    for (let next = this.#running[0]; next?.output !== undefined; next = this.#running[0]) {
      this.#running.shift();
      this.#record.addPrepared([next.output]);
    }
  }

  /**
   * Waits for all calls and puts their outputs into history; no more calls come. After an abort the wait is bounded.
   * `false`: there were none.
   */
  async settle(clock: Clock): Promise<boolean> {
    this.#streamEnded = true;
    const calls = [...this.#running];
    if (calls.length === 0) return false;
    this.#recordDue();
    const all = Promise.all(calls.map((running) => running.done));
    await this.#untilDoneOrAborted(all);
    if (this.#context.signal.aborted) await this.#waitBriefly(all, clock);
    for (const running of calls)
      if (running.output === undefined) this.#finish(running, { output: UNKNOWN_OUTCOME, endItem: undefined });
    return true;
  }

  async #untilDoneOrAborted(all: Promise<unknown>): Promise<void> {
    const { signal } = this.#context;
    if (signal.aborted) return;
    let onAbort = (): void => undefined;
    const aborted = new Promise<void>((resolve) => {
      onAbort = resolve;
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([all, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #waitBriefly(all: Promise<unknown>, clock: Clock): Promise<void> {
    const bound = new AbortController();
    const patience = clock.sleep(ABORT_PATIENCE_MS, { signal: bound.signal }).catch(() => undefined);
    await Promise.race([all, patience]);
    bound.abort();
  }
}

function outputItem(call: ToolCallItem, callId: string, output: ToolOutputItem['output']): ToolOutputItem {
  return call.type === 'custom_tool_call'
    ? { type: 'custom_tool_call_output', call_id: callId, output }
    : { type: 'function_call_output', call_id: callId, output };
}
