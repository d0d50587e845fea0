/**
 * A program for a worker thread: cuts the recorded answer at every `step`-th byte, many threads of the agent at once.
 * Takes a `Sweep` as its data and posts the outcomes that are not right, by offset.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Cut, startCutProvider } from './cut-provider.ts';
import { type CutOutcome, RIGHT_OUTCOME, runCut } from './cut-run.ts';
import { inParallel } from './in-parallel.ts';
import { recordedAnswer } from './recorded-answer.ts';
import type { Sweep, SweepReport } from './sweep.ts';
import { createWorkspace } from './workspace.ts';

/** Threads open at once against one provider; each provider forgets its requests with its batch. */
const BATCH = 64;

async function sweep(cut: Omit<Cut, 'offset'>, step: number): Promise<SweepReport> {
  await using workspace = await createWorkspace();
  const wrong: Record<string, CutOutcome> = {};
  const { length } = recordedAnswer(cut.tool).bytes;
  const offsets = Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
  for (let start = 0; start < offsets.length; start += BATCH) {
    await using provider = await startCutProvider();
    await inParallel(offsets.slice(start, start + BATCH), BATCH, async (offset) => {
      const outcome = await runCut({ ...cut, offset }, provider, workspace);
      if (JSON.stringify(outcome) !== JSON.stringify(RIGHT_OUTCOME)) wrong[offset] = outcome;
    });
  }
  return { runs: offsets.length, wrong };
}

const { step, ...cut } = workerData as Sweep;
parentPort?.postMessage(await sweep(cut, step));
