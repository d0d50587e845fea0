import type { CompactionStrategyName, TurnContextLine } from '@quire/protocol';
import { History } from '../history/history.ts';
import { LedgerKeeper } from './ledger-keeper.ts';
import type { ThreadSeed } from './reconstruct-thread.ts';
import { UsageMeter } from './usage-meter.ts';

/** What a thread remembers from task to task. All of it can be read again from the rollout. */
export class ThreadState {
  readonly history: History;
  readonly usage: UsageMeter;
  readonly ledger: LedgerKeeper;
  /** Settings that the next regular turn is compared with; absent: it tells everything. */
  baseline: TurnContextLine | undefined;
  /** Model of the last regular turn. Nothing else moves it. */
  previousModel: string | undefined;
  /** Turns of people in the history, as far back as it is known. */
  userTurns: number;
  /** Texts of summary messages, so that they are not taken for a person's words. */
  readonly knownSummaries: string[];
  /** Ways of compacting that this provider does not have. */
  readonly unavailableStrategies = new Set<CompactionStrategyName>();

  constructor(seed: ThreadSeed | undefined) {
    this.history = new History(seed?.history);
    this.usage = new UsageMeter(seed?.usage);
    this.ledger = new LedgerKeeper({ state: seed?.ledger, notedItems: seed?.baseLength ?? 0 });
    this.baseline = seed?.baseline;
    this.previousModel = seed?.previousModel;
    this.userTurns = seed?.userTurns ?? 0;
    this.knownSummaries = [...(seed?.knownSummaries ?? [])];
  }
}
