import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BundledProgram } from './bundled-program.ts';
import type { Cut } from './cut-provider.ts';
import type { CutOutcome } from './cut-run.ts';

export interface Sweep extends Omit<Cut, 'offset'> {
  /** Bytes from one cut to the next. */
  readonly step: number;
}

export interface SweepReport {
  readonly runs: number;
  readonly wrong: Readonly<Record<string, CutOutcome>>;
}

/** Runs the program `cut-sweep` in a thread of its own, so that two sweeps use two cores. */
export async function runSweep(program: BundledProgram, sweep: Sweep): Promise<SweepReport> {
  const worker = new Worker(program.path, { workerData: sweep });
  try {
    const [report] = (await once(worker, 'message')) as [SweepReport];
    return report;
  } finally {
    await worker.terminate();
  }
}
