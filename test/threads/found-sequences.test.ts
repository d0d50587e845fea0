import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GOOD_COMPACTIONS } from './support/lane-script.ts';
import type { Operation, TurnPlan } from './support/operation.ts';
import { PlannedProvider } from './support/planned-provider.ts';
import { playSequence } from './support/play-sequence.ts';

const TURN: TurnPlan = {
  rounds: [],
  end: 'text',
  steers: false,
  hasImage: false,
  poison: undefined,
  load: { level: 'low', from: 0 },
  model: undefined,
  change: undefined,
};

function turn(plan: Partial<TurnPlan> = {}): Operation {
  return { op: 'turn', lane: 0, turn: { ...TURN, ...plan }, compaction: GOOD_COMPACTIONS };
}

/** The shortest sequences for faults that random ones found. */
const FOUND: readonly (readonly [string, readonly Operation[]])[] = [
  [
    'a thread of which every turn was taken back tells its context once [SEQ-20]',
    [turn(), { op: 'rollback', lane: 0, turns: 1 }, turn()],
  ],
  [
    'a crash between the context of a turn and its message leaves one context in the next request [SEQ-21]',
    [{ op: 'crash', lane: 0, turn: TURN, at: 321 }, turn()],
  ],
  [
    'taking steered messages back leaves what was refused in earlier turns refused [SEQ-22]',
    [
      turn({ end: 'interrupt-silence', poison: 'user' }),
      turn({ poison: 'image' }),
      turn({ steers: true }),
      { op: 'rollback', lane: 0, turns: 3 },
      turn(),
    ],
  ],
  [
    'a fork counts what was said as a rollback left it, also when the turn taken back was steered [SEQ-25]',
    [
      turn({ steers: true }),
      { op: 'rollback', lane: 0, turns: 1 },
      turn({ end: 'interrupt-silence' }),
      { op: 'fork', lane: 0, before: 1 },
      turn(),
    ],
  ],
  [
    'the endpoint compacts a message with an image for a model without images to one message [SEQ-23]',
    [
      turn({
        rounds: [{ kind: 'tools', tools: ['echo'], talks: true }],
        hasImage: true,
        load: { level: 'full', from: 0 },
        model: 'text',
      }),
      turn(),
    ],
  ],
  [
    'what was refused is back when the turn is stopped before the next answer, and goes in the next turn [SEQ-24]',
    [turn({ end: 'interrupt-silence', poison: 'image' }), turn(), turn()],
  ],
  [
    'refused words fail the turn that they begin, and are taken out in the next one [SEQ-35]',
    [turn(), turn({ poison: 'user' }), turn({ poison: 'image' }), { op: 'resume', lane: 0 }, turn()],
  ],
];

test.each(FOUND)('%s', async (_, sequence) => {
  const home = mkdtempSync(join(tmpdir(), 'quire-found-'));
  await using provider = await PlannedProvider.start();
  let numbers = 0;
  try {
    await playSequence(sequence, {
      provider,
      home,
      nextNumber: () => ++numbers,
      count: () => undefined,
    });
    expect(provider.simulator.violations).toEqual([]);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
