/** Many readers or one writer, first come first served. Source: the peer's rule for parallel tool calls. */
export class ReadWriteLock {
  #readers = 0;
  #writing = false;
  readonly #waiting: { readonly mode: LockMode; readonly admit: () => void }[] = [];

  /** Runs `work` inside the lock. What is queued behind a writer waits, so that no writer starves. */
  async run<Result>(mode: LockMode, work: () => Promise<Result>): Promise<Result> {
    await this.#enter(mode);
    try {
      return await work();
    } finally {
      this.#leave(mode);
    }
  }

  #enter(mode: LockMode): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#admits(mode)) {
      this.#take(mode);
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push({ mode, admit: resolve }));
  }

  #admits(mode: LockMode): boolean {
    return mode === 'read' ? !this.#writing : !this.#writing && this.#readers === 0;
  }

  #take(mode: LockMode): void {
    if (mode === 'read') this.#readers += 1;
    else this.#writing = true;
  }

  #leave(mode: LockMode): void {
    if (mode === 'read') this.#readers -= 1;
    else this.#writing = false;
    for (let next = this.#waiting[0]; next !== undefined && this.#admits(next.mode); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(next.mode);
      next.admit();
    }
  }
}

export type LockMode = 'read' | 'write';
