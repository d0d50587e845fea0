import type { Clock, Entropy } from '@quire/core';
import { type Credentials, ModelError, type ModelProvider } from '@quire/protocol';
import type { CredentialsSource } from './credentials-source.ts';
import type { HttpErrorContext } from './errors/http-error.ts';
import { isSecretName } from './errors/redact.ts';
import type { HttpTransport } from './http/transport.ts';
import type { SocketMeter } from './http-socket-meter.ts';
import type { RateLimitStore } from './limits/rate-limit-store.ts';
import type { ModelClientObserver } from './observer.ts';
import type { BodyEncoder } from './request/body.ts';
import type { RequestCompressor } from './request/compression.ts';
import type { RequestHeaders, RequestIdentity } from './request/headers.ts';
import type { HostTraits } from './request/host-traits.ts';
import type { AuthTagRecord } from './unauthorized/auth-tags.ts';

/** What turns borrow from their thread. */
export interface ThreadLine {
  readonly identity: RequestIdentity;
  readonly credentials: CredentialsSource;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly observer: ModelClientObserver;
  readonly transport: HttpTransport;
  readonly meter: SocketMeter;
  readonly bodies: BodyEncoder;
  /** Absent: bodies are sent as they are. */
  readonly compressor: RequestCompressor | undefined;
  readonly traits: HostTraits;
  readonly rateLimits: RateLimitStore;
  readonly authTags: AuthTagRecord;
}

/** The credentials of the next request. Rejects with ModelError, or the reason of the signal. */
export async function currentCredentials(line: ThreadLine, signal: AbortSignal): Promise<Credentials> {
  requireKeyVariable(line.identity);
  try {
    return await line.credentials.current({ signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ModelError) throw error;
    const message = error instanceof Error ? error.message : 'the credentials can not be read';
    throw new ModelError('unauthorized', message, { retryable: false, cause: error });
  }
}

/** What an error may say, and what it must not. */
export function errorContext(line: ThreadLine, sent: RequestHeaders, credentials: Credentials): HttpErrorContext {
  return {
    nowMs: line.clock.now(),
    secrets: secretsIn(sent, line.identity.provider),
    credentials: credentials.kind,
    remedy: line.credentials.remedy,
  };
}

/** Values that no message may repeat. */
export function secretsIn(sent: RequestHeaders, provider: Pick<ModelProvider, 'queryParams'>): readonly string[] {
  const parameters = Object.entries(provider.queryParams).flatMap(([name, value]) => (isSecretName(name) ? value : []));
  const headers = [...sent.secretNames].flatMap((name) => sent.headers[name]?.replace(/^Bearer /, '') ?? []);
  return [...headers, ...parameters];
}

/** Throws ModelError 'configuration' when the provider names a key variable that is not set. */
function requireKeyVariable({ provider, environment }: RequestIdentity): void {
  if (provider.envKey === undefined || (environment[provider.envKey] ?? '').trim() !== '') return;
  const instructions = provider.envKeyInstructions === undefined ? '' : ` (${provider.envKeyInstructions})`;
  throw new ModelError(
    'configuration',
    `the environment variable ${provider.envKey}, which holds the key for the model provider "${provider.id}", is not set${instructions}`,
    { retryable: false },
  );
}
