import type { RecordedRequest } from './recorded-request.ts';
import type { Script } from './script/script.ts';
import type { Outcome } from './server/deliver.ts';

/** The requests of one kind: what came, what answers them, and how the answers ended. */
export interface Ledger {
  /** Names a request in messages and, where it is not the plain one, in the ids of its answer. */
  readonly name: 'request' | 'prewarm' | 'compaction';
  readonly script: Script;
  readonly requests: RecordedRequest[];
  readonly outcomes: Map<number, Outcome>;
}

export function createLedger(name: Ledger['name'], script: Script): Ledger {
  return { name, script, requests: [], outcomes: new Map() };
}

/** Unique among the ids of one simulator. */
export function labelOf(ledger: Ledger, request: RecordedRequest): string {
  return ledger.name === 'request' ? String(request.index) : `${ledger.name}_${request.index}`;
}
