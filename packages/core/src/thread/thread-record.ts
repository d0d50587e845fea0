import type { ResponseItem, RolloutLine, TruncationPolicy } from '@quire/protocol';
import { History } from '../history/history.ts';
import type { RolloutWriter } from '../ports/rollout-writer.ts';

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
    const prepared = items.map((item) => History.prepare(item, policy));
    this.write([...prepared.map((item): RolloutLine => ({ type: 'response_item', payload: item })), ...events]);
    for (const item of prepared) this.history.append(item);
  }

  /** Writes a tool output now; `history.append` takes the result once its place in history has come. */
  writeAhead(item: ResponseItem, policy: TruncationPolicy): ResponseItem {
    const prepared = History.prepare(item, policy);
    this.write([{ type: 'response_item', payload: prepared }]);
    return prepared;
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
