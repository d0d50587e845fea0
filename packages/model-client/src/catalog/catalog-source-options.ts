import type { Clock, Entropy } from '@quire/core';
import type { Dialer } from '@quire/network';
import type { ModelProvider } from '@quire/protocol';
import type { CredentialsSource } from '../credentials-source.ts';
import type { ModelClientObserver } from '../observer.ts';
import type { Environment } from '../request/headers.ts';

export interface CatalogSourceOptions {
  readonly provider: ModelProvider;
  readonly credentials: CredentialsSource;
  readonly dialer: Dialer;
  readonly originator: string;
  readonly clientVersion: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** For headers that come from variables. */
  readonly environment: Environment;
  readonly observer?: ModelClientObserver;
  /** For one fetch with all its retries. Milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}
