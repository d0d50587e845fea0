/** Automatic compactions in a row, without progress between them, after which a person is asked. */
const LIMIT = 3;

/** Stops a thread that only compacts, reads the same things again, and compacts. */
export class CompactionBreaker {
  #idleCompactions = 0;
  #lastMark: string | undefined;

  /** After each automatic compaction, with the ledger's mark at that time. */
  noteCompaction(progressMark: string): void {
    this.#idleCompactions = progressMark === this.#lastMark ? this.#idleCompactions + 1 : 1;
    this.#lastMark = progressMark;
  }

  /** A person said something, which may lead out of it. */
  noteUserInput(): void {
    this.#idleCompactions = 0;
    this.#lastMark = undefined;
  }

  get isOpen(): boolean {
    return this.#idleCompactions >= LIMIT;
  }

  /** What happened and what to do, for a person. */
  get message(): string {
    return (
      `Stopped: the history was compacted ${this.#idleCompactions} times in a row and nothing was achieved in between ` +
      '(no file changed or newly read, no plan step done, no new command succeeded). The thread is whole and can go on: ' +
      'send a message that makes the task smaller or says what to do next, choose a model with a larger context window, ' +
      'or start a new thread.'
    );
  }
}
