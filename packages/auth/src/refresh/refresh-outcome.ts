import type { ModelErrorCode } from '@quire/protocol';

/** Why a login is lost. */
export type LossReason =
  | 'expired'
  /** The refresh token was used before. */
  | 'exhausted'
  | 'revoked'
  | 'other'
  /** What is stored now belongs to somebody else, or nobody. */
  | 'signed-in-elsewhere';

/** Why tokens could not be renewed. Messages hold no token. */
export type RefreshFailure =
  | { readonly kind: 'permanent'; readonly reason: LossReason; readonly message: string }
  | {
      readonly kind: 'transient';
      readonly code: ModelErrorCode;
      readonly message: string;
      /** Whether trying again soon makes sense. */
      readonly retryable: boolean;
    };

export type RefreshOutcome =
  /** The store holds new tokens, made now (`refreshed`) or by another process in the meantime (`adopted`). */
  { readonly kind: 'refreshed' | 'adopted' } | { readonly kind: 'failed'; readonly failure: RefreshFailure };

const LOSSES: Readonly<Record<LossReason, string>> = {
  expired: 'the login has expired; log in again with quire login',
  exhausted: 'the login was renewed by another program that did not store the result; log in again with quire login',
  revoked: 'the login was revoked; log in again with quire login',
  other: 'the login can not be renewed; log in again with quire login',
  'signed-in-elsewhere':
    'the stored login was removed or replaced by that of another account since this run began; start again to use it',
};

export function lost(reason: LossReason): RefreshFailure {
  return { kind: 'permanent', reason, message: LOSSES[reason] };
}
