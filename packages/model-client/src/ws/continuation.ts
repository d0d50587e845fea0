import type { ResponseItem } from '@quire/protocol';
import type { BodyEncoder, RequestFields } from '../request/body.ts';

/** What a connection remembers of its last request, once that was answered in full. */
export interface Continuation {
  readonly responseId: string;
  readonly fields: RequestFields;
  /** Input of that request and the items of its answer: what the server holds under `responseId`. */
  readonly baseline: readonly ResponseItem[];
  /** The request was the one of the warm-up. */
  readonly isWarmUp: boolean;
}

export type InputPlan =
  | { readonly kind: 'incremental'; readonly previousResponseId: string; readonly input: readonly ResponseItem[] }
  | {
      readonly kind: 'full';
      readonly input: readonly ResponseItem[];
      readonly reason: FullReason;
      /** Types of the first items that differ. */
      readonly mismatch?: { readonly previous: string | undefined; readonly current: string | undefined };
    };

export type FullReason = 'new-connection' | 'fields-changed' | 'history-changed';

/**
 * The place in the whole input of what the server calls `input[named]`, when only the items from `sentFrom` on were
 * sent. A server may count those alone or everything it holds. It has answered the items before `sentFrom` once, so
 * that of two readings the one that points behind them holds; `undefined` if both do, or neither points anywhere.
 */
export function wholeInputIndex(
  named: number,
  { sentFrom, total }: { readonly sentFrom: number; readonly total: number },
): number | undefined {
  const amongSent = sentFrom + named < total ? sentFrom + named : undefined;
  const amongAll = named < total ? named : undefined;
  if (amongSent === undefined || amongSent === amongAll) return amongAll;
  return named < sentFrom ? amongSent : undefined;
}

/** What of a request has to be sent: the rest after what the server has, if it extends that, else everything. */
export function planInput(
  input: readonly ResponseItem[],
  fields: RequestFields,
  previous: Continuation | undefined,
  bodies: BodyEncoder,
): InputPlan {
  if (previous === undefined) return { kind: 'full', input, reason: 'new-connection' };
  if (previous.fields.before !== fields.before || previous.fields.after !== fields.after) {
    return { kind: 'full', input, reason: 'fields-changed' };
  }
  const { baseline } = previous;
  const changedAt = baseline.findIndex((item, index) => {
    const current = input[index];
    return current === undefined || !bodies.sameItem(item, current);
  });
  if (changedAt !== -1) {
    const mismatch = { previous: baseline[changedAt]?.type, current: input[changedAt]?.type };
    return { kind: 'full', input, reason: 'history-changed', mismatch };
  }
  return { kind: 'incremental', previousResponseId: previous.responseId, input: input.slice(baseline.length) };
}
