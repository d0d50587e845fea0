/** The requests of one client that are under way, so that closing it ends them all. */
export class InFlight {
  readonly #controllers = new Set<AbortController>();

  /** Runs `use` with a signal that fires with the caller's, or on `abort()`. Throws what it throws. */
  async run<T>(caller: AbortSignal, use: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const request = this.enter(caller);
    try {
      return await use(request.signal);
    } finally {
      request.leave();
    }
  }

  /**
   * For a request that is a generator; `leave` must be called in the end. Throws the reason of `caller` if that has
   * fired already. Follows the caller's signal by hand: it may live for long, and each request must let go of it.
   */
  enter(caller: AbortSignal): { readonly signal: AbortSignal; readonly leave: () => void } {
    caller.throwIfAborted();
    const local = new AbortController();
    const onAbort = (): void => local.abort(caller.reason);
    caller.addEventListener('abort', onAbort, { once: true });
    this.#controllers.add(local);
    return {
      signal: local.signal,
      leave: () => {
        caller.removeEventListener('abort', onAbort);
        this.#controllers.delete(local);
      },
    };
  }

  abort(reason: unknown): void {
    for (const controller of this.#controllers) controller.abort(reason);
  }
}
