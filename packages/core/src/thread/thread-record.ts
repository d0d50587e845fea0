import type { ResponseItem, RolloutLine, TruncationPolicy } from '@quire/protocol';
import { History } from '../history/history.ts';
import type { RolloutWriter } from '../ports/rollout-writer.ts';
import { outputAhead } from './rollout-events.ts';

/**
 * The one place where a thread's history and its rollout grow. Whatever is written here has left the
 * process when the call returns, so it may be shown to people.
 */
export class ThreadRecord {
  readonly history: History;
  readonly #rollout: RolloutWriter;
  readonly #onWriteError: (error: Error) => void;
  #writable = true;

  /** `onWriteError` is told at the first of a run of failures; work goes on without a record. It must not throw. */
  constructor(history: History, rollout: RolloutWriter, onWriteError: (error: Error) => void) {
    this.history = history;
    this.#rollout = rollout;
    this.#onWriteError = onWriteError;
  }

  /** Records items and, after them, event lines, in one write. */
  add(items: readonly ResponseItem[], policy: TruncationPolicy, events: readonly RolloutLine[] = []): void {
    this.addPrepared(
      items.map((item) => History.prepare(item, policy)),
      events,
    );
  }

  /** Records items that went through `History.prepare`. */
  addPrepared(items: readonly ResponseItem[], events: readonly RolloutLine[] = []): void {
    this.write([...items.map((item): RolloutLine => ({ type: 'response_item', payload: item })), ...events]);
    for (const item of items) this.history.append(item);
  }

  /** Keeps a tool output whose place in the order has not come yet; `addPrepared` records it when it has. */
  writeAhead(output: ResponseItem): void {
    this.write([outputAhead(output)]);
  }

  write(lines: readonly RolloutLine[]): void {
    try {
      this.#rollout.append(lines);
      this.#writable = true;
    } catch (error) {
      if (this.#writable) this.#onWriteError(error instanceof Error ? error : new Error(String(error)));
      this.#writable = false;
    }
  }
}
