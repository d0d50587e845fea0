import type { PrunableSnapshots } from '@quire/host';

/** What it may take of the end of a run, in milliseconds. */
const LAST_MS = 400;

/**
 * Removes old snapshots while the model works. That may take longer than a run: what is not done soon after its end is
 * stopped, and done another time.
 */
export class SnapshotPruning {
  readonly #snapshots: Pick<PrunableSnapshots, 'prune'>;
  readonly #stopping = new AbortController();
  #work: Promise<void> | undefined;

  /** @param begin settles when nobody waits for what this process does; otherwise it begins at the end */
  constructor(snapshots: Pick<PrunableSnapshots, 'prune'>, begin: Promise<unknown>) {
    this.#snapshots = snapshots;
    const start = (): Promise<void> => this.#start();
    begin.then(start, start);
  }

  async end(): Promise<void> {
    const work = this.#start();
    const timer = setTimeout(() => this.#stopping.abort(new Error('the run has ended')), LAST_MS);
    await work;
    clearTimeout(timer);
  }

  #start(): Promise<void> {
    // Nothing depends on it: what fails is tried another day.
    this.#work ??= this.#snapshots.prune({ signal: this.#stopping.signal }).catch(() => undefined);
    return this.#work;
  }
}
