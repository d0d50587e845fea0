import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseSeed } from '../support/random.ts';
import { type Operation, operations } from './support/operation.ts';
import { PlannedProvider } from './support/planned-provider.ts';
import { playSequence } from './support/play-sequence.ts';

/** `QUIRE_SEQUENCES=20000` is the full run. */
const SEQUENCES = Number(process.env['QUIRE_SEQUENCES'] ?? 1000);
/** A provider keeps every request that it got. */
const SEQUENCES_PER_PROVIDER = 100;

/** What a thousand sequences reach, each at least so often; else they would show little. */
const LEAST_TIMES = 20;
const REACHED = [
  'called a tool',
  'called tools side by side',
  'compacted by endpoint',
  'compacted by local',
  'compacted by trigger',
  'compacted by trim',
  'crashed',
  'cut answers',
  'forked before a message',
  'forked whole',
  'interrupted in a stream',
  'interrupted in a tool',
  'interrupted in silence',
  'refused by image',
  'refused by index',
  'resumed',
  'rolled back',
  'steered',
];

test('whatever happens to threads, every request is legal and shows all that was not compacted or taken back, once [SEQ-01, SEQ-02, SEQ-03, SEQ-04, SEQ-05, SEQ-06, SEQ-07]', {
  timeout: 120_000 + SEQUENCES * 1_000,
}, async () => {
  const seed = chooseSeed();
  const home = mkdtempSync(join(tmpdir(), 'quire-sequences-'));
  const counts = new Map<string, number>();
  let provider = await PlannedProvider.start();
  let played = 0;
  let numbers = 0;
  try {
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        if (played % SEQUENCES_PER_PROVIDER === SEQUENCES_PER_PROVIDER - 1) {
          await provider[Symbol.asyncDispose]();
          provider = await PlannedProvider.start();
        }
        played += 1;
        await playSequence(sequence, {
          provider,
          home,
          nextNumber: () => ++numbers,
          count: (what) => counts.set(what, (counts.get(what) ?? 0) + 1),
        });
      }),
      { seed, numRuns: SEQUENCES, reporter: (details) => report(details, seed) },
    );
  } finally {
    await provider[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  }
  // A short run reaches little.
  const rare = REACHED.filter((what) => (counts.get(what) ?? 0) < LEAST_TIMES);
  if (SEQUENCES >= 1000) expect(rare, `QUIRE_SEED=${seed}`).toEqual([]);
});

function report(details: fc.RunDetails<[readonly Operation[]]>, seed: number): void {
  if (!details.failed) return;
  const script = JSON.stringify(details.counterexample?.[0], undefined, 1);
  throw new Error(
    `QUIRE_SEED=${seed} (${details.numShrinks} times shrunk): ${script}\n${String(details.errorInstance)}`,
  );
}
