import type { PrunableSnapshots } from '@quire/host';

/** What it may take behind the end of the task, in milliseconds. */
const LAST_MS = 400;

/**
 * Removes old snapshots while the model works on the first task of a thread. That may take longer than the task: what is
 * not done soon after its end is stopped, and done another time. So it keeps no program alive that leaves its thread open.
 */
export class SnapshotPruning {
  readonly #snapshots: Pick<PrunableSnapshots, 'prune'>;
  readonly #stopping = new AbortController();
  #work: Promise<void> | undefined;
  #ended: Promise<void> | undefined;

  /** @param begin settles when nobody waits for what this process does; otherwise it begins at the end */
  constructor(snapshots: Pick<PrunableSnapshots, 'prune'>, begin: Promise<unknown>) {
    this.#snapshots = snapshots;
    const start = (): Promise<void> => this.#start();
    begin.then(start, start);
  }

  /** May be called again and again. Never rejects. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    const work = this.#start();
    const timer = setTimeout(() => this.#stopping.abort(new Error('the task has ended')), LAST_MS);
    await work;
    clearTimeout(timer);
  }

  #start(): Promise<void> {
    // Nothing depends on it: what fails is tried another day.
    this.#work ??= this.#snapshots.prune({ signal: this.#stopping.signal }).catch(() => undefined);
    return this.#work;
  }
}
