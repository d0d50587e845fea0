import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SnapshotPruning } from '../src/snapshot-pruning.ts';

/** Works until it is told to end. */
function endless() {
  const signals: AbortSignal[] = [];
  return {
    signals,
    prune: async ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
      signals.push(signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      signal.throwIfAborted();
    },
  };
}

test('old snapshots are removed once the first request is on its way, and a run that ends stops that [HOST-132]', async () => {
  const snapshots = endless();
  let sent = (): void => undefined;
  const pruning = new SnapshotPruning(snapshots, new Promise<void>((resolve) => (sent = resolve)));
  await setTimeout(0);
  expect(snapshots.signals).toEqual([]);
  sent();
  await setTimeout(0);
  expect(snapshots.signals).toMatchObject([{ aborted: false }]);
  await pruning.end();
  expect(snapshots.signals).toMatchObject([{ aborted: true }]);
});

test('a run without a request removes them at its end, and a failure is nothing to anybody [HOST-132]', async () => {
  let count = 0;
  const fails = async (): Promise<void> => {
    count += 1;
    throw new Error('broken');
  };
  const pruning = new SnapshotPruning({ prune: fails }, new Promise(() => undefined));
  await pruning.end();
  await pruning.end();
  expect(count).toBe(1);
});
