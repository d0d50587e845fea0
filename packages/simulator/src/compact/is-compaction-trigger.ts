import type { RecordedRequest } from '../recorded-request.ts';

/** A streamed request that asks for a compaction: its last item says so. Source: transport sheet section 21.2. */
export function isCompactionTrigger(request: Pick<RecordedRequest, 'input'>): boolean {
  return request.input.at(-1)?.['type'] === 'compaction_trigger';
}
