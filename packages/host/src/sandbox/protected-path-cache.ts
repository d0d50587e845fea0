import { existsSync } from 'node:fs';
import { findNestedRepositories, findTopPaths, type ProtectedPaths } from './protected-paths.ts';

/** How long what was found deep in a root counts. */
const FRESH_MS = 30_000;
/** A root that is not worked in is searched at its top only. */
const SHALLOW_DEPTH = 1;
const DEEP_DEPTH = 4;

interface Found {
  readonly paths: Promise<readonly string[]>;
  readonly foundAt: number;
}

/** Looks at the top of a root every time, and for repositories deeper in it once in a while. */
export class ProtectedPathCache {
  readonly #nested = new Map<string, Found>();

  async read(root: string, options: { readonly isWorkedIn: boolean }): Promise<ProtectedPaths> {
    const depth = options.isWorkedIn ? DEEP_DEPTH : SHALLOW_DEPTH;
    const key = `${depth} ${root}`;
    const now = performance.now();
    let found = this.#nested.get(key);
    if (found === undefined || now - found.foundAt > FRESH_MS) {
      found = { paths: findNestedRepositories(root, { depth }), foundAt: now };
      this.#nested.set(key, found);
    }
    const nested = (await found.paths).filter((path) => existsSync(path));
    const top = findTopPaths(root); // last, so that nothing of it is gone when it is used
    return { ...top, existing: [...top.existing, ...nested] };
  }
}
