import type { Clock, Entropy, ModelRequest, ModelTurn, ModelTurnIdentity } from '@quire/core';
import { type Credentials, ModelError, type ModelEvent } from '@quire/protocol';
import type { CredentialsSource } from './credentials-source.ts';
import { type HttpErrorContext, httpError } from './errors/http-error.ts';
import { printableUrl } from './errors/redact.ts';
import { EventDecoder } from './events/event-decoder.ts';
import { rateLimitsFromHeaders } from './events/rate-limits.ts';
import { startEvents } from './events/start-events.ts';
import { headerText, requestIdOf } from './http/headers-in.ts';
import type { HttpPost, HttpResponse, HttpTransport } from './http/transport.ts';
import type { ModelClientObserver } from './observer.ts';
import type { BodyEncoder } from './request/body.ts';
import { type RequestIdentity, requestHeaders } from './request/headers.ts';
import { turnMetadataHeader } from './request/turn-metadata.ts';
import { requestUrl } from './request/url.ts';
import { requestWithRetries } from './request-with-retries.ts';
import { SseStream } from './sse/sse-stream.ts';

const MAX_RETRIES = 100;

/** What a turn borrows from its thread. */
export interface ThreadLine {
  readonly identity: RequestIdentity;
  readonly credentials: CredentialsSource;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly observer: ModelClientObserver;
  readonly transport: HttpTransport;
  readonly bodies: BodyEncoder;
  /** A controller for each request that is under way. */
  readonly inFlight: Set<AbortController>;
}

/** Scope: one turn. Holds what the server wants echoed; a new turn starts without it. */
export class HttpTurn implements ModelTurn {
  readonly #line: ThreadLine;
  readonly #metadata: string | undefined;
  /** First `x-codex-turn-state` of the turn; later ones do not replace it. */
  #turnState: string | undefined;

  constructor(line: ThreadLine, turn: ModelTurnIdentity) {
    this.#line = line;
    this.#metadata = turnMetadataHeader({ turn_id: turn.turnId, ...turn.metadata });
  }

  async *stream(
    request: ModelRequest,
    options: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly ModelEvent[], void, undefined> {
    const { inFlight } = this.#line;
    const caller = options.signal;
    caller.throwIfAborted();
    // Follows the caller's signal by hand: it may live for long, and each request must let go of it.
    const local = new AbortController();
    const onAbort = (): void => local.abort(caller.reason);
    caller.addEventListener('abort', onAbort, { once: true });
    inFlight.add(local);
    try {
      yield* this.#exchange(request, local.signal);
    } finally {
      caller.removeEventListener('abort', onAbort);
      inFlight.delete(local);
    }
  }

  async *#exchange(request: ModelRequest, signal: AbortSignal): AsyncGenerator<readonly ModelEvent[], void, undefined> {
    const { provider } = this.#line.identity;
    const credentials = await this.#credentials(signal);
    const post = this.#post(request, credentials, signal);
    const limits: ModelEvent[] = [];
    let response: HttpResponse;
    try {
      response = await this.#send(post, credentials, limits);
    } catch (error) {
      if (limits.length > 0 && !signal.aborted) yield limits;
      throw error;
    }
    const requestId = requestIdOf(response.headers);
    this.#turnState ??= headerText(response.headers, 'x-codex-turn-state');
    const { clock, observer } = this.#line;
    const serverModel = headerText(response.headers, 'openai-model');
    const stream = new SseStream(response.body, {
      decoder: new EventDecoder({ requestId, serverModel }),
      idleTimeoutMs: provider.streamIdleTimeoutMs,
      signal,
      clock,
      observer,
      requestId,
    });
    try {
      yield startEvents(response.headers);
      yield* stream.batches();
      signal.throwIfAborted();
    } finally {
      stream.close();
    }
  }

  async #credentials(signal: AbortSignal): Promise<Credentials> {
    const { identity, credentials } = this.#line;
    requireKeyVariable(identity);
    try {
      return await credentials.current({ signal });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ModelError) throw error;
      const message = error instanceof Error ? error.message : 'the credentials can not be read';
      throw new ModelError('unauthorized', message, { retryable: false, cause: error });
    }
  }

  #post(request: ModelRequest, credentials: Credentials, signal: AbortSignal): HttpPost {
    const { identity, bodies } = this.#line;
    const turn = { state: this.#turnState, metadata: this.#metadata };
    return {
      url: requestUrl(identity.provider, credentials, 'responses'),
      ...requestHeaders(identity, credentials, turn),
      body: bodies.encode(request),
      signal,
      headersTimeoutMs: identity.provider.streamIdleTimeoutMs,
    };
  }

  /** When a used-up allowance ends the request, what its headers say of the limits goes into `limits`. */
  #send(post: HttpPost, credentials: Credentials, limits: ModelEvent[]): Promise<HttpResponse> {
    const { transport, identity, clock, entropy, observer } = this.#line;
    return requestWithRetries(transport, post, {
      maxRetries: Math.min(identity.provider.requestMaxRetries, MAX_RETRIES),
      clock,
      entropy,
      observer,
      toError: (response, bodyText) => {
        const { status, headers } = response;
        const failed = { status, headers, bodyText, url: printableUrl(response.url) };
        const error = httpError(failed, this.#errorContext(post, credentials));
        if (error.code === 'usage-limit-reached') {
          for (const snapshot of rateLimitsFromHeaders(headers)) limits.push({ kind: 'rate-limits', snapshot });
        }
        return error;
      },
    });
  }

  #errorContext(post: HttpPost, credentials: Credentials): HttpErrorContext {
    const { identity, clock } = this.#line;
    const secrets = [...post.secretNames].flatMap((name) => post.headers[name]?.replace(/^Bearer /, '') ?? []);
    return {
      nowMs: clock.now(),
      secrets,
      credentials: credentials.kind,
      keyVariable: identity.provider.envKey ?? 'CODEX_API_KEY',
    };
  }
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
