import type { StopSignal } from '../end-process.ts';
import { EXIT } from '../exit-codes.ts';

export type StopReason =
  | { readonly kind: 'signal'; readonly signal: StopSignal }
  | { readonly kind: 'deadline'; readonly seconds: number }
  | { readonly kind: 'output-closed' }
  | { readonly kind: 'output-failed'; readonly message: string }
  /** An error that nothing caught: a fault of our own. */
  | { readonly kind: 'fault'; readonly message: string };

const SIGNAL_EXIT_CODES: Readonly<Record<StopSignal, number>> = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hangup,
};

/**
 * One key press can arrive twice: the terminal signals the whole group and a wrapper such as npm passes it on.
 * Unit: milliseconds.
 */
const SAME_PRESS_MS = 50;

export function exitCodeOf(reason: StopReason): number {
  switch (reason.kind) {
    case 'signal':
      return SIGNAL_EXIT_CODES[reason.signal];
    case 'deadline':
    case 'output-failed':
    case 'fault':
      return EXIT.failed;
    case 'output-closed':
      return EXIT.outputClosed;
  }
}

/** Ends a run early: the first request asks it to settle, a signal after that tells it to leave at once. */
export class StopSwitch {
  readonly #stop = new AbortController();
  readonly #leave = new AbortController();
  #reason: StopReason | undefined;
  #requestedAtMs = 0;

  /** Aborts at the first request. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts at the second signal. */
  get leaveSignal(): AbortSignal {
    return this.#leave.signal;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** Since the first request, in milliseconds; before it the number says nothing. */
  get ageMs(): number {
    return performance.now() - this.#requestedAtMs;
  }

  request(reason: StopReason): void {
    if (this.#reason === undefined) {
      this.#reason = reason;
      this.#requestedAtMs = performance.now();
      this.#stop.abort(new Error(`stopped: ${reason.kind}`));
      return;
    }
    if (reason.kind !== 'signal') return;
    const isSamePress =
      this.#reason.kind === 'signal' &&
      this.#reason.signal === reason.signal &&
      performance.now() - this.#requestedAtMs < SAME_PRESS_MS;
    if (isSamePress) return;
    this.#reason = reason;
    this.#leave.abort(new Error('stopped twice'));
  }

  /**
   * Waits for `work`, but not longer than `graceMs` after a stop was requested and not past a second signal.
   * Rejects like `work`; a late rejection is swallowed, for nobody is left to hear it.
   */
  async bounded<T>(work: Promise<T>, options: { readonly graceMs: () => number }): Promise<T | undefined> {
    work.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    let release: () => void = () => undefined;
    const expired = new Promise<undefined>((resolve) => {
      const leave = (): void => resolve(undefined);
      const arm = (): void => {
        timer = setTimeout(leave, options.graceMs());
      };
      release = () => {
        this.signal.removeEventListener('abort', arm);
        this.leaveSignal.removeEventListener('abort', leave);
      };
      if (this.leaveSignal.aborted) leave();
      else if (this.signal.aborted) arm();
      else this.signal.addEventListener('abort', arm, { once: true });
      this.leaveSignal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([work, expired]);
    } finally {
      clearTimeout(timer);
      release();
    }
  }
}
