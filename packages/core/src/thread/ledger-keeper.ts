import type { JsonObject, MessageItem, ResponseItem } from '@quire/protocol';
import type { CompactionBreaker } from '../compaction/breaker.ts';
import type { WorkLedger } from '../compaction/ledger.ts';
import type { FileDigests } from '../ports/file-digests.ts';

interface Loaded {
  readonly ledger: WorkLedger;
  readonly breaker: CompactionBreaker;
}

/**
 * Keeps the work ledger of a thread in step with its history. The ledger and the breaker are loaded when the
 * first tool has run: a thread that only talks needs neither.
 */
export class LedgerKeeper {
  readonly #seed: JsonObject | undefined;
  /** Items at the start of the history that the ledger knows of. */
  #notedItems: number;
  #loaded: Loaded | undefined;

  constructor(seed: { readonly state: JsonObject | undefined; readonly notedItems: number }) {
    this.#seed = seed.state;
    this.#notedItems = seed.notedItems;
  }

  /** Takes in what the history got since the last time, and the digests of files that were read in it. */
  async catchUp(
    items: readonly ResponseItem[],
    place: { readonly cwd: string; readonly digests: FileDigests | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    const { ledger } = await this.#load();
    for (let index = this.#notedItems; index < items.length; index += 1) {
      const item = items[index];
      if (item !== undefined) ledger.note(item, { cwd: place.cwd });
    }
    this.#notedItems = items.length;
    if (place.digests !== undefined) await ledger.digestNew(place.digests, { signal: place.signal });
  }

  /** For a compaction: every file looked at once more, so that what changed since it was read is marked. */
  async snapshot(place: {
    readonly digests: FileDigests | undefined;
    readonly signal: AbortSignal;
    /** Absent: the ledger's own. */
    readonly budgetTokens: number | undefined;
  }): Promise<{ readonly message: MessageItem; readonly state: JsonObject } | undefined> {
    const { ledger } = await this.#load();
    if (place.digests !== undefined) await ledger.refreshDigests(place.digests, { signal: place.signal });
    return ledger.snapshot(place.budgetTokens === undefined ? {} : { budgetTokens: place.budgetTokens });
  }

  /** State for a line of the rollout; `undefined` when nothing was noted in this process and before. */
  get state(): JsonObject | undefined {
    return this.#loaded?.ledger.toJson() ?? this.#seed;
  }

  /** The history was replaced by one whose content the ledger knows. */
  rebase(itemCount: number): void {
    this.#notedItems = itemCount;
  }

  /** An item that the API refuses: nothing of it may come back. */
  async itemRefused(item: ResponseItem, place: { readonly cwd: string }): Promise<void> {
    (await this.#load()).ledger.forget(item, place);
  }

  /** Items that were known were taken out: `before` and `after` are the lengths of the history. */
  noteShift(before: number, after: number): void {
    if (after < before) this.#notedItems = Math.max(0, this.#notedItems - (before - after));
  }

  /** One item was taken out of the history. */
  itemRemoved(index: number): void {
    if (index < this.#notedItems) this.#notedItems -= 1;
  }

  /** A person said something: whatever the thread was stuck in, this may lead out of it. */
  noteUserInput(): void {
    this.#loaded?.breaker.noteUserInput();
  }

  /** Why automatic compactions have stopped; `undefined`: they have not. */
  async reasonToStop(): Promise<string | undefined> {
    const { breaker } = await this.#load();
    return breaker.isOpen ? breaker.message : undefined;
  }

  async noteAutomaticCompaction(): Promise<void> {
    const { ledger, breaker } = await this.#load();
    breaker.noteCompaction(ledger.progressMark());
  }

  async #load(): Promise<Loaded> {
    if (this.#loaded !== undefined) return this.#loaded;
    const [{ WorkLedger }, { CompactionBreaker }] = await Promise.all([
      import('../compaction/ledger.ts'),
      import('../compaction/breaker.ts'),
    ]);
    this.#loaded ??= { ledger: new WorkLedger(this.#seed), breaker: new CompactionBreaker() };
    return this.#loaded;
  }
}
