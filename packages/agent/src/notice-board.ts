import type { ThreadEvent } from '@quire/protocol';

/** Kept while nobody listens. */
const MAX_KEPT = 20;

/** Warnings that come from beside a task: of agents, servers, hooks. What comes between two tasks is told with the next. */
export class NoticeBoard {
  readonly #kept: string[] = [];
  readonly #tellNow: (() => void)[] = [];
  #onEvent: ((event: ThreadEvent) => void) | undefined;

  /** Never throws; the latest are dropped when too many wait. */
  readonly post = (message: string): void => {
    if (this.#onEvent !== undefined) this.#onEvent({ kind: 'warning', turnId: undefined, message });
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(message);
  };

  /**
   * For what is posted later, but before the task ends that begins now.
   *
   * @param begin gives back what has it posted at once, if it was not
   */
  postByEnd(begin: (post: (message: string) => void) => () => void): void {
    this.#tellNow.push(begin(this.post));
  }

  /** The listener of a task, told what is posted as well: behind its start, and before its end. */
  overhear(onEvent: (event: ThreadEvent) => void): (event: ThreadEvent) => void {
    return (event) => {
      if (event.kind === 'turn-end') {
        for (const tellNow of this.#tellNow.splice(0)) tellNow();
        this.#onEvent = undefined;
      }
      onEvent(event);
      if (event.kind !== 'turn-start') return;
      this.#onEvent = onEvent;
      for (const message of this.#kept.splice(0)) this.post(message);
    };
  }
}
