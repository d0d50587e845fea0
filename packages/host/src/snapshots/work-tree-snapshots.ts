import type { WorkTreeSnapshots } from '@quire/core';

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface WorkTreeSnapshotsOptions {
  /** The runtime's own folder, absolute; snapshots are kept in `snapshots` of it. */
  readonly home: string;
  /** How long a snapshot may take. Default: 10 seconds. */
  readonly timeoutMs?: number;
  /** The largest untracked file that is kept. Default: 50 MiB. */
  readonly maxFileBytes?: number;
  /** How much is read for one snapshot, but for tracked files. Default: 1 GiB. */
  readonly maxTotalBytes?: number;
  /** How many snapshots of a work tree are kept. Default: 200. */
  readonly keepCount?: number;
  /** How long snapshots are kept. Default: 14 days. */
  readonly keepMs?: number;
  /** What the snapshots of one work tree may take together; the newest stays in any case. Default: 4 GiB. */
  readonly maxStoreBytes?: number;
}

/** Snapshots with the means to remove old ones, which is for a moment when nobody waits. */
export interface PrunableSnapshots extends WorkTreeSnapshots {
  /** Looks at every store of the folder, at most once a day each. Rejects only with the reason of `signal`. */
  prune(options: { readonly signal: AbortSignal }): Promise<void>;
}

/** A restore looks at all files first, and is asked for by somebody who waits. */
const RESTORE_TIMEOUT_MS = 120_000;

/** Nothing is made, looked at or loaded before the first call. */
export function createWorkTreeSnapshots(options: WorkTreeSnapshotsOptions): PrunableSnapshots {
  const { timeoutMs = 10_000, maxFileBytes = 50 * MEBIBYTE, maxTotalBytes = 1024 * MEBIBYTE } = options;
  const { keepCount = 200, keepMs = 14 * DAY_MS, maxStoreBytes = 4096 * MEBIBYTE } = options;
  const settings = { home: options.home, maxFileBytes, maxTotalBytes };
  return {
    async take({ cwd, signal }) {
      signal.throwIfAborted();
      const { describeSnapshot, takeSnapshot } = await import('./take-snapshot.ts');
      using limit = limitTime(signal, timeoutMs);
      try {
        const result = await takeSnapshot(cwd, {
          ...settings,
          home: await realHome(options.home),
          signal: limit.signal,
        });
        if (result.kind === 'none') return { ref: undefined, note: result.reason };
        return { ref: { id: result.snapshot.id }, note: describeSnapshot(result.snapshot.leftOut, result) };
      } catch (error) {
        signal.throwIfAborted();
        if (!limit.signal.aborted) throw error;
        return { ref: undefined, note: `no undo: the files could not be kept within ${timeoutMs / 1000} s` };
      }
    },
    async restore(ref, { cwd, signal }) {
      signal.throwIfAborted();
      const { restoreSnapshot } = await import('./restore-snapshot.ts');
      using limit = limitTime(signal, RESTORE_TIMEOUT_MS);
      const home = await realHome(options.home);
      return { changed: await restoreSnapshot(ref.id, { ...settings, home, cwd, signal: limit.signal }) };
    },
    async prune({ signal }) {
      signal.throwIfAborted();
      const { pruneStores } = await import('./prune-snapshots.ts');
      const home = await realHome(options.home);
      await pruneStores({ home, signal, keepCount, keepMs, maxStoreBytes, now: Date.now() });
    },
  };
}

async function realHome(home: string): Promise<string> {
  const { realpath } = await import('node:fs/promises');
  return realpath(home).catch(() => home); // it is made with the first snapshot
}

function limitTime(outer: AbortSignal, timeoutMs: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const abort = (): void => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(new Error(`not done within ${timeoutMs / 1000} s`)), timeoutMs);
  outer.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', abort);
    },
  };
}
