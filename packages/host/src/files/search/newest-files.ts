import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** How long the event loop may be held. A look at a file takes two microseconds, on a network disk far longer. */
const SLICE_MS = 5;
const FILES_PER_LOOK_AT_THE_CLOCK = 16;
/** Entries kept beside those wanted, so that sorting is rare. */
const SLACK = 32_768;

interface FoundFile {
  readonly path: string;
  readonly changedAtMs: number;
}

/**
 * The last changed of many files. The search programs' own sorting by time makes them search with one thread, which takes
 * longer than looking at the times of those that were found.
 */
export class NewestFiles {
  readonly #limit: number;
  #found: FoundFile[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Files that are gone meanwhile are left out. Names that are no UTF-8 are given as bytes. */
  async add(paths: readonly (string | Buffer)[]): Promise<void> {
    let sliceEndsAt = performance.now() + SLICE_MS;
    for (const [index, path] of paths.entries()) {
      const stats = lookAt(path);
      if (stats !== undefined) this.#found.push({ path: path.toString(), changedAtMs: stats.mtimeMs });
      if (index % FILES_PER_LOOK_AT_THE_CLOCK !== 0 || performance.now() < sliceEndsAt) continue;
      await setImmediate();
      sliceEndsAt = performance.now() + SLICE_MS;
    }
    if (this.#found.length > this.#limit + SLACK) this.#found = this.#newest();
  }

  /** The last changed first; of those changed at the same time the first by name. */
  paths(): readonly string[] {
    return this.#newest().map(({ path }) => path);
  }

  #newest(): FoundFile[] {
    const byTime = (left: FoundFile, right: FoundFile): number =>
      right.changedAtMs - left.changedAtMs || (left.path < right.path ? -1 : 1);
    return this.#found.sort(byTime).slice(0, this.#limit);
  }
}

function lookAt(path: string | Buffer): { readonly mtimeMs: number } | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // its folder can not be entered any more
  }
}
