import type { Stage } from './stages.ts';

/**
 * Time limits of a connection that is made in stages: one for each stage and one for all of them. The signal
 * fires with the error of the stage that was under way, or with the reason of the caller's signal.
 */
export class StageTimer implements Disposable {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #whole: NodeJS.Timeout;
  #stage: Stage;
  #stageTimer: NodeJS.Timeout | undefined;

  constructor(options: { readonly signal: AbortSignal; readonly timeoutMs: number; readonly first: Stage }) {
    this.#caller = options.signal;
    this.#stage = options.first;
    this.#whole = setTimeout(() => this.#expire(options.timeoutMs), options.timeoutMs);
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.enter(options.first);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  enter(stage: Stage): void {
    this.#stage = stage;
    clearTimeout(this.#stageTimer);
    this.#stageTimer = setTimeout(() => this.#expire(stage.limitMs), stage.limitMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#stageTimer);
    this.#caller.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#controller.abort(this.#caller.reason);

  #expire(limitMs: number): void {
    this.#controller.abort(this.#stage.onTimeout(limitMs));
  }
}
