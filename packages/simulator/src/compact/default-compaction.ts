import type { JsonObject } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';
import { status } from '../script/faults.ts';
import type { StatusAnswer } from '../script/step.ts';

/** An answer of the compaction endpoint: the new history. Any items, also none or wrong ones. */
export function compacted(...output: readonly JsonObject[]): StatusAnswer {
  return status(/* code */ 200, { body: { output: [...output] } });
}

/**
 * What the real endpoint does: messages of the user and the developer stay, everything else goes, and one item that
 * only the provider can read stands for it. Source: transport sheet section 21.1.
 */
export function compactAsServer(request: Pick<RecordedRequest, 'input'>): StatusAnswer {
  const kept = request.input.filter(
    (item) => item['type'] === 'message' && (item['role'] === 'user' || item['role'] === 'developer'),
  );
  const dropped = request.input.length - kept.length;
  return compacted(...kept, { type: 'compaction', encrypted_content: `summary of ${dropped} items` });
}
