import { type SubAgentCaller, type ThreadSeed, turnContextLine } from '@quire/core';
import type { ResponseItem } from '@quire/protocol';

/**
 * What an agent begins with that gets its parent's history: everything up to the call that starts it. Calls of the
 * same answer that are still served stay out, and so does the reasoning that led to them: it is of no use, and not
 * accepted, without them.
 */
export function forkedSeed(history: readonly ResponseItem[], caller: SubAgentCaller): ThreadSeed {
  return {
    meta: undefined,
    history: historyBeforeCall(history, caller.callId),
    baseLength: 0,
    // A running turn has told its settings, and the copy holds them.
    baseline: turnContextLine(caller.settings, { turnId: caller.turnId, outputSchema: undefined }),
    previousModel: caller.settings.model.slug,
    usage: undefined,
    ledger: undefined,
    knownSummaries: [],
    endsInsideTurn: false,
  };
}

function historyBeforeCall(history: readonly ResponseItem[], callId: string): readonly ResponseItem[] {
  const place = history.findLastIndex((item) => 'call_id' in item && item.call_id === callId);
  const before = place < 0 ? history : history.slice(0, place);
  const answered = new Set(before.flatMap((item) => (isOutput(item) ? [item.call_id] : [])));
  const kept = before.filter((item) => {
    const call = idOfCall(item);
    return call === undefined || answered.has(call);
  });
  const end = kept.findLastIndex((item) => item.type !== 'reasoning');
  return kept.slice(0, end + 1);
}

function isOutput(item: ResponseItem): item is ResponseItem & { readonly call_id: string } {
  return item.type.endsWith('_output') && 'call_id' in item && item.call_id !== undefined;
}

function idOfCall(item: ResponseItem): string | undefined {
  return item.type.endsWith('_call') && 'call_id' in item ? item.call_id : undefined;
}
