import type {
  Clock,
  Entropy,
  ModelCallOptions,
  ModelPort,
  ModelRequest,
  ModelTurn,
  ModelTurnIdentity,
} from '@quire/core';
import { createDialer, type Dialer } from '@quire/network';
import { ModelError, type ModelProvider, type ResponseItem, type ThreadId } from '@quire/protocol';
import type { CredentialsSource } from './credentials-source.ts';
import type { FallbackMemory } from './fallback/fallback-memory.ts';
import { FallbackState } from './fallback/fallback-state.ts';
import { HttpTransport } from './http/transport.ts';
import type { HttpDialect } from './http-exchange.ts';
import { SocketMeter } from './http-socket-meter.ts';
import { InFlight } from './in-flight.ts';
import { RateLimitStore } from './limits/rate-limit-store.ts';
import type { ModelClientObserver } from './observer.ts';
import { BodyEncoder } from './request/body.ts';
import { RequestCompressor } from './request/compression.ts';
import type { Environment } from './request/headers.ts';
import { hostTraits } from './request/host-traits.ts';
import { responsesDialect } from './responses-dialect.ts';
import type { ThreadLine } from './thread-line.ts';
import { TurnSession } from './turn-session.ts';
import { AuthTagRecord } from './unauthorized/auth-tags.ts';
import type { WebSocketSession } from './ws/websocket-session.ts';

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
  /** Makes the connections. Absent: one of this client's own, from `environment`, closed with it. */
  readonly dialer?: Dialer;
  /** Compresses request bodies where the server reads that: first-party provider, ChatGPT credentials. Default false. */
  readonly requestCompression?: boolean;
  /** Default `off`. `when-supported` uses WebSocket where the provider supports it. */
  readonly webSocket?: 'off' | 'when-supported';
  /** Hosts that WebSocket did not work with, shared by threads. Absent: each thread finds out itself. */
  readonly fallbackMemory?: FallbackMemory;
  /** Where limits are collected, shared by threads of one account. Absent: one of this client's own. */
  readonly rateLimits?: RateLimitStore;
  /** Interval of the pings on a WebSocket; a dead peer is known within two. Milliseconds. Default 15,000. */
  readonly pingIntervalMs?: number;
  /** Asks the server for its own timing (WebSocket); it goes to the observer. */
  readonly timingMetrics?: boolean;
}

/** The line to the provider for one thread, over HTTP or WebSocket. Opens nothing yet. */
export function createModelClient(options: ModelClientOptions): ModelPort {
  return new ThreadClient(options);
}

/** Scope: one thread. Owns the sockets, the JSON of what was sent before, and the choice of transport. */
class ThreadClient implements ModelPort {
  readonly compact?: NonNullable<ModelPort['compact']>;
  readonly #options: ModelClientOptions;
  readonly #dialer: Dialer;
  readonly #line: ThreadLine;
  readonly #fallback: FallbackState;
  readonly #inFlight = new InFlight();
  #dialect: Promise<HttpDialect> | undefined;
  #session: Promise<WebSocketSession> | undefined;
  #closed = false;

  constructor(options: ModelClientOptions) {
    const { environment, provider, threadId, observer = {} } = options;
    const traits = hostTraits(provider);
    this.#options = options;
    this.#dialer = options.dialer ?? createDialer({ environment });
    this.#line = {
      identity: options,
      credentials: options.credentials,
      clock: options.clock,
      entropy: options.entropy,
      observer,
      transport: new HttpTransport(this.#dialer),
      meter: new SocketMeter(),
      bodies: new BodyEncoder({ threadId, traits }),
      compressor: options.requestCompression
        ? new RequestCompressor({ provider, clock: options.clock, observer })
        : undefined,
      traits,
      rateLimits: options.rateLimits ?? new RateLimitStore(),
      authTags: new AuthTagRecord({ environment, provider }),
    };
    this.#fallback = new FallbackState({ memory: options.fallbackMemory, observer });
    if (this.#speaksResponses) this.compact = (request, call) => this.#compact(request, call);
  }

  beginTurn(turn: ModelTurnIdentity): ModelTurn {
    const parts = {
      line: this.#line,
      dialect: () => this.#loadDialect(),
      webSocket: this.#usesWebSocket ? () => this.#loadSession() : undefined,
      fallback: this.#fallback,
      inFlight: this.#inFlight,
    };
    return new TurnSession(parts, turn);
  }

  warmUp({ request }: { readonly request: ModelRequest }): void {
    if (this.#closed || !this.#usesWebSocket || this.#fallback.active) return;
    this.#loadSession().then(
      (session) => {
        if (!this.#closed) session.warmUp(request);
      },
      () => undefined, // A part that can not be loaded fails the first request, which reports it.
    );
  }

  close(): void {
    this.#closed = true;
    this.#line.transport.close();
    const reason = new ModelError('connection-failed', 'the model client was closed', { retryable: false });
    this.#inFlight.abort(reason);
    this.#session?.then(
      (session) => session.close(reason),
      () => undefined, // As in warmUp().
    );
    if (this.#options.dialer === undefined) this.#dialer.close();
  }

  get #usesWebSocket(): boolean {
    const { provider, webSocket = 'off' } = this.#options;
    return this.#speaksResponses && webSocket === 'when-supported' && provider.supportsWebsockets === true;
  }

  get #speaksResponses(): boolean {
    return (this.#options.provider.wireApi ?? 'responses') === 'responses';
  }

  /** Always over HTTP, whatever the turns use. Most runs never compact, so its code is loaded on demand. */
  #compact(request: ModelRequest, call: ModelCallOptions): Promise<readonly ResponseItem[]> {
    const { span } = call;
    this.#line.observer.requestStart?.(span);
    return this.#inFlight.run(call.signal, async (signal) => {
      const { compactOverHttp } = await import('./compact/compact-endpoint.ts');
      return await compactOverHttp(this.#line, { request, signal, ...(span && { span }) });
    });
  }

  /** A program that stays with HTTP never loads what WebSocket needs. */
  #loadSession(): Promise<WebSocketSession> {
    this.#session ??= import('./ws/websocket-session.ts').then(({ WebSocketSession }) => {
      const { pingIntervalMs, timingMetrics = false } = this.#options;
      const options = { dialer: this.#dialer, pingIntervalMs, timingMetrics };
      return new WebSocketSession({ line: this.#line, fallback: this.#fallback, options });
    });
    return this.#session;
  }

  #loadDialect(): Promise<HttpDialect> {
    this.#dialect ??=
      this.#options.provider.wireApi === 'chat'
        ? import('./chat/chat-dialect.ts').then(({ chatDialect }) => chatDialect)
        : Promise.resolve(responsesDialect(this.#line));
    return this.#dialect;
  }
}
