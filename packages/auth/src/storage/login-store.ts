import type { JsonObject } from '@quire/protocol';
import type { Place } from '../credentials/auth-document.ts';

/** Keeps one stored object: what `auth.json` holds. */
export interface LoginStore {
  readonly place: Place;
  /**
   * `undefined` when there is none. Rejects with AuthError 'unreadable-file', 'malformed-file' or 'keyring', or the
   * reason of the signal.
   */
  read(options: { readonly signal: AbortSignal }): Promise<JsonObject | undefined>;
  /** Like `read`, and rejects when the place that had it can not be read any more. Absent: there is one place only. */
  readAgain?(options: { readonly signal: AbortSignal }): Promise<JsonObject | undefined>;
  /**
   * Puts in place what a renewal that was killed has written whole, and is newer than what is there. For whoever holds
   * the lock, before anything else is changed. Rejects with AuthError 'not-writable'. Absent: nothing can be left.
   */
  takeUp?(): Promise<void>;
  /**
   * Finds out whether `write` would work, before something is given up that can only be replaced by writing. Rejects
   * with AuthError.
   */
  probe(): Promise<void>;
  /** Replaces the object in one step. Rejects with AuthError 'not-writable' or 'keyring'. */
  write(document: JsonObject): Promise<void>;
  /** Whether something was there. Rejects with AuthError 'not-writable' or 'keyring'. */
  remove(): Promise<boolean>;
}

/** Values of `cli_auth_credentials_store`. */
export type StoreKind = 'file' | 'keyring' | 'auto' | 'ephemeral';

export const STORE_KINDS: readonly StoreKind[] = ['file', 'keyring', 'auto', 'ephemeral'];
