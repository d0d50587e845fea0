import type { TurnOutcome } from '@quire/protocol';

/** What the program `many-threads` prints. */
export interface ThreadsReport {
  readonly outcomes: readonly (TurnOutcome | undefined)[];
  readonly afterClose: string;
  readonly secondRun: string;
  readonly distinctThreads: number;
}

export const THREADS = 20;
/** Threads of this rest are aborted while their command runs. */
export const ABORTED_EVERY = 4;
