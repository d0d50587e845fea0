import type { JsonObject } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';
import { status } from '../script/faults.ts';
import { compaction } from '../script/items.ts';
import { respond } from '../script/respond.ts';
import type { StatusAnswer, Step, StreamAnswer } from '../script/step.ts';

/** How compactions are answered, over the endpoint and over a stream that ends in a trigger. */
export interface CompactionAnswers {
  readonly endpoint: Step;
  readonly stream: Step;
}

/** An answer of the compaction endpoint: the new history. Any items, also none or wrong ones. */
export function compacted(...output: readonly JsonObject[]): StatusAnswer {
  return status(/* code */ 200, { body: { output: [...output] } });
}

/**
 * What the real endpoint does: messages of the user and the developer stay, everything else goes, and one item that
 * only the provider can read stands for it. Source: transport sheet section 21.1.
 */
export function compactAsServer(request: Pick<RecordedRequest, 'input'>): StatusAnswer {
  const kept = keptItems(request);
  return compacted(...kept, summaryItem(request));
}

/**
 * What the real service does with a streamed request that ends in a trigger: one compaction item, and usage.
 * Source: transport sheet section 21.2.
 */
export function compactAsServerStream(request: Pick<RecordedRequest, 'input'>): StreamAnswer {
  return respond(compaction(summaryOf(request)));
}

/** The answers of the real service. */
export const serverCompaction: CompactionAnswers = { endpoint: compactAsServer, stream: compactAsServerStream };

/** What the endpoint keeps as it is. */
export function keptItems(request: Pick<RecordedRequest, 'input'>): readonly JsonObject[] {
  return request.input.filter(
    (item) => item['type'] === 'message' && (item['role'] === 'user' || item['role'] === 'developer'),
  );
}

export function summaryItem(request: Pick<RecordedRequest, 'input'>): JsonObject {
  return { type: 'compaction', encrypted_content: summaryOf(request) };
}

function summaryOf(request: Pick<RecordedRequest, 'input'>): string {
  const { length } = request.input.filter((item) => item['type'] !== 'compaction_trigger');
  return `summary of ${length - keptItems(request).length} items`;
}
