import type { RateLimitCredits, RateLimitSnapshot, RateLimitWindow } from '@quire/protocol';
import type { RateLimitStore } from '../limits/rate-limit-store.ts';

/** The limit that stands for the account when only one is shown. */
const PREFERRED_LIMIT = 'codex';

export interface AccountWindow extends RateLimitWindow {
  /** It was reset since this was told, so how much of it is used now is not known. */
  readonly hasReset: boolean;
}

export interface AccountLimit {
  readonly limitId: string;
  readonly limitName: string | undefined;
  readonly primary: AccountWindow | undefined;
  readonly secondary: AccountWindow | undefined;
  /** A request was refused because of it, and it has not opened again since. */
  readonly isExhausted: boolean;
  /** Unix seconds; when an exhausted one opens again, if the server said so. */
  readonly opensAtSeconds: number | undefined;
  /** Since something was last told of it, in milliseconds. Absent: not known. */
  readonly ageMs: number | undefined;
}

/** Plan, limits and credits of an account as last heard of. What nobody told is `undefined`, not zero. */
export interface AccountSnapshot {
  readonly planType: string | undefined;
  readonly credits: RateLimitCredits | undefined;
  /** The preferred one first, the others by id. */
  readonly limits: readonly AccountLimit[];
  /** Of the newest part, in milliseconds. Absent: nothing was heard. */
  readonly ageMs: number | undefined;
}

/** Everything at one moment, whichever way it was heard of. */
export function accountSnapshot(
  store: RateLimitStore,
  options: {
    readonly nowMs: number;
    /** What the login's token says, for when the server has not said it. */
    readonly planOfLogin?: string | undefined;
  },
): AccountSnapshot {
  const { nowMs, planOfLogin } = options;
  const ageOf = (limitId: string): number | undefined => {
    const heardAtMs = store.heardAtMs(limitId);
    return heardAtMs === undefined ? undefined : Math.max(0, nowMs - heardAtMs);
  };
  const ids = new Set([...store.all.keys(), ...store.exhausted.keys()]);
  const limits = [...ids]
    .sort(preferredFirst)
    .map((limitId) => limitOf(store, limitId, { nowMs, ageMs: ageOf(limitId) }));
  const newestFirst = [...store.all.values()].sort(
    (left, right) => (ageOf(left.limitId) ?? Infinity) - (ageOf(right.limitId) ?? Infinity),
  );
  const ages = limits.flatMap(({ ageMs }) => ageMs ?? []);
  return {
    planType: firstKnown(newestFirst, 'planType') ?? planOfLogin,
    credits: firstKnown(newestFirst, 'credits'),
    limits,
    ageMs: ages.length === 0 ? undefined : Math.min(...ages),
  };
}

function limitOf(
  store: RateLimitStore,
  limitId: string,
  { nowMs, ageMs }: { readonly nowMs: number; readonly ageMs: number | undefined },
): AccountLimit {
  const snapshot = store.get(limitId);
  const exhausted = store.exhausted.get(limitId);
  const opensAtSeconds = exhausted?.resetsAtSeconds;
  const isOpenAgain = opensAtSeconds !== undefined && opensAtSeconds * 1000 <= nowMs;
  const isExhausted = exhausted !== undefined && !isOpenAgain;
  return {
    limitId,
    limitName: snapshot?.limitName,
    primary: windowOf(snapshot?.primary, nowMs),
    secondary: windowOf(snapshot?.secondary, nowMs),
    isExhausted,
    opensAtSeconds: isExhausted ? opensAtSeconds : undefined,
    ageMs,
  };
}

function windowOf(window: RateLimitWindow | undefined, nowMs: number): AccountWindow | undefined {
  if (window === undefined) return undefined;
  // Servers say 0 when they do not know.
  const { resetsAtSeconds = 0 } = window;
  return { ...window, hasReset: resetsAtSeconds > 0 && resetsAtSeconds * 1000 <= nowMs };
}

function firstKnown<Key extends 'planType' | 'credits'>(
  snapshots: readonly RateLimitSnapshot[],
  key: Key,
): RateLimitSnapshot[Key] | undefined {
  return snapshots.find((snapshot) => snapshot[key] !== undefined)?.[key];
}

function preferredFirst(left: string, right: string): number {
  if (left === right) return 0;
  if (left === PREFERRED_LIMIT) return -1;
  if (right === PREFERRED_LIMIT) return 1;
  return left < right ? -1 : 1;
}
