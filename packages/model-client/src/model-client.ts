import type { Clock, Entropy, ModelPort, ModelTurn, ModelTurnIdentity } from '@quire/core';
import { ModelError, type ModelProvider, type ThreadId } from '@quire/protocol';
import type { CredentialsSource } from './credentials-source.ts';
import { HttpTransport } from './http/transport.ts';
import { HttpTurn, type ThreadLine } from './http-turn.ts';
import type { ModelClientObserver } from './observer.ts';
import { isAzure } from './request/azure.ts';
import { BodyEncoder } from './request/body.ts';
import type { Environment } from './request/headers.ts';

export interface ModelClientOptions {
  readonly provider: ModelProvider;
  readonly credentials: CredentialsSource;
  readonly threadId: ThreadId;
  /** Name of the front end, as the provider's statistics know it. */
  readonly originator: string;
  readonly clientVersion: string;
  readonly userAgent: string;
  /** What kind of side task this thread is; absent for a person's own thread. */
  readonly subagent?: string;
  readonly betaFeatures?: readonly string[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** For proxies, the key variable and headers that come from variables. */
  readonly environment: Environment;
  readonly observer?: ModelClientObserver;
}

/** The line to the provider for one thread, over HTTP with server-sent events. Opens nothing yet. */
export function createModelClient(options: ModelClientOptions): ModelPort {
  return new ThreadClient(options);
}

/** Scope: one thread. Owns the sockets and the JSON of what was sent before. */
class ThreadClient implements ModelPort {
  readonly #line: ThreadLine;
  readonly #inFlight = new Set<AbortController>();

  constructor(options: ModelClientOptions) {
    this.#line = {
      identity: options,
      credentials: options.credentials,
      clock: options.clock,
      entropy: options.entropy,
      observer: options.observer ?? {},
      transport: new HttpTransport({ environment: options.environment, ca: undefined }),
      bodies: new BodyEncoder({ threadId: options.threadId, azure: isAzure(options.provider) }),
      inFlight: this.#inFlight,
    };
  }

  beginTurn(turn: ModelTurnIdentity): ModelTurn {
    return new HttpTurn(this.#line, turn);
  }

  close(): void {
    this.#line.transport.close();
    const reason = new ModelError('connection-failed', 'the model client was closed', { retryable: false });
    for (const controller of this.#inFlight) controller.abort(reason);
  }
}
