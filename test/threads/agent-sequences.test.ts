import fc from 'fast-check';
import { test } from 'vitest';
import { chooseSeed } from '../support/random.ts';
import { AgentLane } from './support/agent-lane.ts';
import { createAgentWorkspace } from './support/agent-workspace.ts';
import { type Operation, operations } from './support/operation.ts';
import { PlannedProvider } from './support/planned-provider.ts';

/** `QUIRE_SEQUENCES=20000` plays 2,000 of them. */
const SEQUENCES = Math.ceil(Number(process.env['QUIRE_SEQUENCES'] ?? 500) / 10);

async function play(sequence: readonly Operation[], provider: PlannedProvider, numbers: () => number): Promise<void> {
  await using workspace = await createAgentWorkspace();
  const quire = workspace.quire(provider.simulator, [
    'compaction.strategies=["endpoint","trigger","local","trim"]',
    'compaction.deadline_seconds=2',
  ]);
  const { home, project } = workspace;
  const stage = { provider, home, nextNumber: numbers, count: () => undefined };
  let lane = new AgentLane(stage, { quire, folder: project });
  const violations = provider.simulator.violations.length;
  try {
    for (const [index, operation] of sequence.entries()) {
      if (operation.op === 'both') continue;
      lane = await lane.play(operation);
      const problems = [...provider.simulator.violations.slice(violations), ...lane.script.problems];
      if (problems.length > 0) throw new Error(`after operation ${index} (${operation.op}):\n${problems.join('\n')}`);
    }
  } finally {
    await lane.close();
  }
}

test('through the agent, with real processes, every request is legal and shows all that it must [SEQ-08]', {
  timeout: 120_000 + SEQUENCES * 2_000,
}, async () => {
  const seed = chooseSeed();
  let number = 0;
  await using provider = await PlannedProvider.start();
  const property = fc.asyncProperty(operations, (sequence) => play(sequence, provider, () => ++number));
  const details = await fc.check(property, { seed, numRuns: SEQUENCES });
  if (!details.failed) return;
  const script = JSON.stringify(details.counterexample?.[0], undefined, 1);
  throw new Error(
    `QUIRE_SEED=${seed} (${details.numShrinks} times shrunk): ${script}\n${String(details.errorInstance)}`,
  );
});
