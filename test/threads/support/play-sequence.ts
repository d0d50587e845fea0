import { Lane, type Stage } from './lane.ts';
import type { Operation } from './operation.ts';

/** Plays one sequence with two threads. Throws at the first operation after which something is wrong. */
export async function playSequence(sequence: readonly Operation[], stage: Stage): Promise<void> {
  const { simulator } = stage.provider;
  const lanes: (Lane | undefined)[] = [];
  const laneAt = async (index: number): Promise<Lane> => {
    const lane = lanes[index] ?? (await Lane.start(stage));
    lanes[index] = lane;
    return lane;
  };
  const violationsBefore = simulator.violations.length;
  const unexpectedBefore = simulator.unexpectedRequests.length;
  try {
    for (const [index, operation] of sequence.entries()) {
      await play(operation, lanes, laneAt);
      const problems = [
        ...simulator.violations.slice(violationsBefore),
        ...simulator.unexpectedRequests.slice(unexpectedBefore),
        ...lanes.flatMap((lane) => lane?.script.problems ?? []),
      ];
      if (problems.length > 0) throw new Error(`after operation ${index} (${operation.op}):\n${problems.join('\n')}`);
    }
  } finally {
    for (const lane of lanes) lane?.close();
  }
}

async function play(
  operation: Operation,
  lanes: (Lane | undefined)[],
  laneAt: (index: number) => Promise<Lane>,
): Promise<void> {
  if (operation.op === 'both') {
    const [first, second] = [await laneAt(/* index */ 0), await laneAt(/* index */ 1)];
    await Promise.all([first.runTurn(operation.turns[0]), second.runTurn(operation.turns[1])]);
    return;
  }
  const lane = await laneAt(operation.lane);
  switch (operation.op) {
    case 'turn':
      return lane.runTurn(operation.turn, operation.compaction);
    case 'crash':
      return lane.crash(operation.turn, operation.at);
    case 'compact':
      return lane.compact(operation.compaction, { interrupts: operation.interrupts });
    case 'rollback':
      return lane.rollBack(operation.turns);
    case 'fork':
      lanes[operation.lane] = await lane.fork(operation.before);
      return;
    case 'resume':
      return lane.resume();
    case 'shell':
      return lane.runShell();
  }
}
