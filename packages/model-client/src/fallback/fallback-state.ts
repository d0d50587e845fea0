import type { ModelEvent } from '@quire/protocol';
import type { ModelClientObserver } from '../observer.ts';
import type { FallbackMemory } from './fallback-memory.ts';
import type { Verdict } from './fallback-policy.ts';

/** Whether a thread still uses WebSocket. Once it does not, it never does again. */
export class FallbackState {
  readonly #memory: FallbackMemory | undefined;
  readonly #observer: ModelClientObserver;
  #overHttp = false;
  #announcement: ModelEvent | undefined;
  /** Responses lost in a row. */
  losses = 0;

  constructor(options: { readonly memory: FallbackMemory | undefined; readonly observer: ModelClientObserver }) {
    this.#memory = options.memory;
    this.#observer = options.observer;
  }

  /** Looks up the host, too: what another thread found out holds here, without a word. */
  isOverHttp(origin: string): boolean {
    if (!this.#overHttp && this.#memory?.recall(origin) !== undefined) this.#overHttp = true;
    return this.#overHttp;
  }

  /** Without looking at the host. */
  get active(): boolean {
    return this.#overHttp;
  }

  activate(verdict: Verdict, origin: string): void {
    if (verdict.rememberForMs > 0) {
      this.#memory?.remember(origin, verdict.cause, { forMs: verdict.rememberForMs });
    }
    if (this.#overHttp) return;
    this.#overHttp = true;
    const { cause, failure } = verdict;
    this.#observer.transportFallback?.({ cause, failure });
    if (!verdict.silent) this.#announcement = { kind: 'transport-fallback', from: 'websocket', to: 'http', cause };
  }

  /** What the user has not been told yet, as a batch of events. */
  takeAnnouncement(): readonly ModelEvent[] {
    const announcement = this.#announcement;
    this.#announcement = undefined;
    return announcement === undefined ? [] : [announcement];
  }
}
