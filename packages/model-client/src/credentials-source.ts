import type { Credentials } from '@quire/protocol';

/** One thing that was done about refused credentials. */
export interface RecoveryStep {
  /** `managed`: a stored login. `external`: another program supplies the tokens. */
  readonly mode: 'managed' | 'external';
  readonly phase: 'reload' | 'refresh_token' | 'external_refresh';
  /** What to try now. */
  readonly credentials: Credentials;
  /** Whether they differ from the ones before. */
  readonly changed: boolean;
}

/** Where a request's credentials come from. What it throws ends the request and is not retried. */
export interface CredentialsSource {
  /** What a person can do when what it gave last is refused: a clause without secrets. */
  readonly remedy?: string | undefined;
  /** Rejects with the reason of `signal` when it fires. */
  current(options: { readonly signal: AbortSignal }): Promise<Credentials>;
  /**
   * What can be done about a 401, begun anew for every request. Each value is one step, done when it is
   * asked for: a stored login is first read again, then refreshed; then there is nothing left. Ending
   * without a value means that these credentials can not be renewed.
   *
   * Throws ModelError 'unauthorized', not retryable, when a step failed for good; any other ModelError
   * when it may work later; or the reason of `signal`.
   */
  recover?(options: { readonly signal: AbortSignal }): AsyncIterable<RecoveryStep>;
}
