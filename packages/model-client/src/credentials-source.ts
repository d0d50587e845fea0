import type { Credentials } from '@quire/protocol';

/** Where a request's credentials come from. What it throws ends the request and is not retried. */
export interface CredentialsSource {
  /** Rejects with the reason of `signal` when it fires. */
  current(options: { readonly signal: AbortSignal }): Promise<Credentials>;
}
