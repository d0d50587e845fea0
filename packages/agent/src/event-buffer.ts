import type { ThreadEvent } from '@quire/protocol';

/** Live output kept for a reader that lags behind, in characters; the item's end carries the output anyway. */
const MAX_BUFFERED_COMMAND_OUTPUT = 1_048_576;

/**
 * Turns pushed events into an iterable for one reader. The turn never waits for the reader: deltas of one
 * item that it has not taken yet are joined, so what is held is bounded by what the thread keeps itself.
 */
export class EventBuffer {
  #events: ThreadEvent[] = [];
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;
  #wake: (() => void) | undefined;

  readonly push = (event: ThreadEvent): void => {
    const last = this.#events.at(-1);
    const joined = last === undefined ? undefined : joinDeltas(last, event);
    if (joined === undefined) this.#events.push(event);
    else this.#events[this.#events.length - 1] = joined;
    this.#wake?.();
  };

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(reason: unknown): void {
    this.#failure = { reason };
    this.end();
  }

  async *drain(): AsyncGenerator<ThreadEvent, void, undefined> {
    for (;;) {
      const events = this.#events;
      this.#events = [];
      yield* events;
      if (this.#events.length > 0) continue;
      if (this.#failure !== undefined) throw this.#failure.reason;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}

function joinDeltas(last: ThreadEvent, next: ThreadEvent): ThreadEvent | undefined {
  if (last.kind === 'text-delta' && next.kind === 'text-delta' && last.itemId === next.itemId) {
    return { ...last, delta: last.delta + next.delta };
  }
  if (last.kind === 'command-output-delta' && next.kind === 'command-output-delta' && last.itemId === next.itemId) {
    return last.delta.length >= MAX_BUFFERED_COMMAND_OUTPUT ? last : { ...last, delta: last.delta + next.delta };
  }
  if (last.kind !== 'reasoning-delta' || next.kind !== 'reasoning-delta') return undefined;
  return last.itemId === next.itemId && last.summaryIndex === next.summaryIndex
    ? { ...last, delta: last.delta + next.delta }
    : undefined;
}
