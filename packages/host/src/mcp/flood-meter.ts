import { UNASKED_MAX, UNASKED_WINDOW_MS } from './limits.ts';

/** Counts what nobody asked for. */
export class FloodMeter {
  #count = 0;
  #windowEndsAtMs = 0;

  /** `true` when there were too many in the window. */
  isFlooded(nowMs: number): boolean {
    if (nowMs >= this.#windowEndsAtMs) {
      this.#windowEndsAtMs = nowMs + UNASKED_WINDOW_MS;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count > UNASKED_MAX;
  }
}
