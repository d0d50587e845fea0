import type { ModelRequest } from '@quire/core';
import type { Dialer } from '@quire/network';
import { type Credentials, ModelError, type ModelErrorCode, type ModelEvent } from '@quire/protocol';
import type { RecoveryStep } from '../credentials-source.ts';
import { type HttpErrorContext, httpError } from '../errors/http-error.ts';
import { printableUrl } from '../errors/redact.ts';
import { EventDecoder } from '../events/event-decoder.ts';
import { RepairingDecoder } from '../events/item-repair.ts';
import { rateLimitsFromEvent } from '../events/rate-limits.ts';
import { socketStartEvents } from '../events/start-events.ts';
import type { WireDecoder } from '../events/wire-decoder.ts';
import { headerText, type ResponseHeaders, requestIdOf } from '../http/headers-in.ts';
import { noteUsageLimit } from '../limits/note-usage-limit.ts';
import type { ConnectionUse } from '../receipt/receipt-recorder.ts';
import { handshakeHeaders, type RequestHeaders } from '../request/headers.ts';
import { requestUrl } from '../request/url.ts';
import { errorContext, type ThreadLine } from '../thread-line.ts';
import { authorizationOf } from '../unauthorized/auth-tags.ts';
import { clientMetadata, type SocketTurn } from './client-metadata.ts';
import { type InputPlan, planInput, wholeInputIndex } from './continuation.ts';
import { errorFromEvent } from './error-event.ts';
import { type OpenedSocket, openSocket, type UpgradeRefusal } from './open-socket.ts';
import { ResponseStream } from './response-stream.ts';
import { ResponsesSocket } from './responses-socket.ts';

const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;
const DEFAULT_PING_INTERVAL_MS = 15_000;

export interface WebSocketLineOptions {
  readonly dialer: Pick<Dialer, 'connect'>;
  /** Default 15,000. */
  readonly pingIntervalMs: number | undefined;
  /** Ask the server for its own timing. */
  readonly timingMetrics: boolean;
}

/** An upgrade that was refused for lack of credentials. */
export class UpgradeUnauthorized extends Error {
  override readonly name = 'UpgradeUnauthorized';
  readonly error: ModelError;
  readonly headers: ResponseHeaders;

  constructor(error: ModelError, headers: ResponseHeaders) {
    super(error.message, { cause: error });
    this.error = error;
    this.headers = headers;
  }
}

export interface StartedResponse {
  readonly stream: ResponseStream;
  readonly use: ConnectionUse;
}

/** Opens WebSockets for one thread and runs responses over them. Which socket is used when is not its business. */
export class WebSocketLine {
  readonly connectTimeoutMs: number;
  readonly #line: ThreadLine;
  readonly #options: WebSocketLineOptions;

  constructor(line: ThreadLine, options: WebSocketLineOptions) {
    this.#line = line;
    this.#options = options;
    this.connectTimeoutMs = line.identity.provider.websocketConnectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
  }

  /** Where requests with these credentials go. */
  url(credentials: Credentials): URL {
    return requestUrl(this.#line.identity.provider, credentials, 'responses');
  }

  /** Connections with equal keys may serve each other's requests. Secret; never to be shown. */
  key(credentials: Credentials): string {
    const identity =
      credentials.kind === 'chatgpt'
        ? (credentials.accountId ?? credentials.accessToken)
        : credentials.kind === 'api-key'
          ? credentials.token
          : '';
    return `${this.url(credentials).href} ${credentials.kind} ${identity}`;
  }

  /** Rejects with ModelError with a `transportFailure`, with UpgradeUnauthorized, or the reason of the signal. */
  async connect(
    credentials: Credentials,
    options: {
      readonly turn: SocketTurn;
      readonly after: RecoveryStep | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<ResponsesSocket> {
    const { identity, clock, observer, authTags } = this.#line;
    const { turn, after, signal } = options;
    const phase = turn.turnId === undefined ? 'warm-up' : 'turn';
    const url = this.url(credentials);
    const { timingMetrics } = this.#options;
    const sent = handshakeHeaders(identity, credentials, {
      state: turn.state.value,
      metadata: turn.metadata,
      timingMetrics,
    });
    observer.requestAuthorization?.(authorizationOf({ credentials, after }));
    const startedAtMs = clock.now();
    let refusedBy: ResponseHeaders | undefined;
    const report = (status: number | undefined, error: ModelError | undefined, headers?: ResponseHeaders): void => {
      const failure = error?.transportFailure;
      observer.socketConnect?.({ durationMs: clock.now() - startedAtMs, status, error: error?.code, failure, phase });
      const request = { endpoint: '/responses', credentials, status, error: error?.code, headers, after };
      authTags.noteRequest({ ...request, connectionReused: false });
      observer.authTags?.(authTags.tags);
    };
    try {
      const { headers } = sent;
      const { connectTimeoutMs: timeoutMs } = this;
      const toError = (refusal: UpgradeRefusal): ModelError => {
        refusedBy = refusal.headers;
        return this.#refusalError(refusal, { url, sent, credentials });
      };
      const opened = await openSocket({ url, headers, timeoutMs, signal, dialer: this.#options.dialer, toError });
      report(/* status */ 101, /* error */ undefined, opened.headers);
      turn.state.capture(headerText(opened.headers, 'x-codex-turn-state'));
      return this.#socket(opened, credentials);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      report(error.httpStatus, error, refusedBy);
      if (error.httpStatus === 401 && refusedBy !== undefined) throw new UpgradeUnauthorized(error, refusedBy);
      throw error;
    }
  }

  #refusalError(
    { status, headers, bodyText }: UpgradeRefusal,
    asked: { readonly url: URL; readonly sent: RequestHeaders; readonly credentials: Credentials },
  ): ModelError {
    const context = errorContext(this.#line, asked.sent, asked.credentials);
    const refusal = { status, headers, bodyText, url: printableUrl(asked.url) };
    const error = httpError(refusal, { ...context, transportFailure: { kind: 'upgrade-status', status } });
    if (error.code === 'usage-limit-reached') noteUsageLimit(this.#line.rateLimits, refusal, error);
    return error;
  }

  #socket(opened: OpenedSocket, credentials: Credentials): ResponsesSocket {
    const { clock, observer } = this.#line;
    return new ResponsesSocket({
      ...opened,
      key: this.key(credentials),
      host: this.url(credentials).host,
      pingIntervalMs: this.#options.pingIntervalMs ?? DEFAULT_PING_INTERVAL_MS,
      now: () => clock.now(),
      onPong: (roundTripMs) => observer.socketPong?.({ roundTripMs }),
    });
  }

  /** Sends a request on `socket`, which has no other under way. The stream drops the socket when it fails. */
  respond(
    socket: ResponsesSocket,
    request: ModelRequest,
    options: {
      readonly turn: SocketTurn;
      readonly credentials: Credentials;
      readonly signal: AbortSignal;
      /** `false`: the server only gets ready, and the input is not sent. */
      readonly generate: boolean;
    },
  ): StartedResponse {
    const { bodies, clock, observer, identity } = this.#line;
    const { turn, credentials, signal, generate } = options;
    const { continuation } = socket;
    socket.continuation = undefined;
    const fields = bodies.fields(request);
    const input = generate ? request.input : [];
    const plan = planInput(input, fields, continuation, bodies);
    const inputIndex = (named: number): number | undefined => {
      const total = input.length;
      return wholeInputIndex(named, { sentFrom: total - plan.input.length, total });
    };
    const use = connectionUse(socket, plan);
    const stream = new ResponseStream(socket, {
      decoder: this.#decoder(socket, { inputIndex, credentials }),
      startEvents: socketStartEvents(socket.headers),
      idleTimeoutMs: identity.provider.streamIdleTimeoutMs,
      signal,
      clock,
      observer,
      toError: (event, into) => this.#inBandError(event, { credentials, inputIndex, into }),
      onTurnState: (value) => turn.state.capture(value),
      previousResponseId: continuation?.responseId,
      onCompleted: (responseId, items) => {
        if (responseId === '' || items === undefined) return;
        socket.continuation = { responseId, fields, baseline: [...input, ...items], isWarmUp: !generate };
      },
      onIdleFrame: (text) => this.#onIdleFrame(socket, text),
    });
    const frame = bodies.encodeFrame(fields, plan.input, this.#frameExtra(plan, { turn, generate }));
    const startedAtMs = clock.now();
    const error = this.#begin(socket, frame, stream);
    observer.socketRequest?.({
      phase: generate ? 'turn' : 'warm-up',
      durationMs: clock.now() - startedAtMs,
      error,
      afterWarmUp: continuation?.isWarmUp === true,
      mismatch: plan.kind === 'full' ? plan.mismatch : undefined,
      reusedConnection: use.reused,
      mode: plan.kind,
      reason: plan.kind === 'full' ? plan.reason : undefined,
      frameBytes: frame.length,
    });
    return { stream, use };
  }

  #decoder(
    socket: ResponsesSocket,
    request: { readonly inputIndex: HttpErrorContext['inputIndex']; readonly credentials: Credentials },
  ): WireDecoder {
    const { traits, rateLimits } = this.#line;
    const responses = new EventDecoder({
      requestId: requestIdOf(socket.headers),
      secrets: this.#context(request.credentials).secrets,
      inputIndex: request.inputIndex,
      serverModel: headerText(socket.headers, 'openai-model'),
      onRateLimits: (snapshot) => rateLimits.update(snapshot),
    });
    return traits.losesItemEnds ? new RepairingDecoder(responses) : responses;
  }

  /** What a frame has beyond the body of a POST, as the JSON fragment that `encodeFrame` wants. */
  #frameExtra(plan: InputPlan, about: { readonly turn: SocketTurn; readonly generate: boolean }): string {
    const { identity, clock } = this.#line;
    const extra = [
      ...(plan.kind === 'incremental' ? [`"previous_response_id":${JSON.stringify(plan.previousResponseId)}`] : []),
      ...(about.generate ? [] : ['"generate":false']),
      `"client_metadata":${JSON.stringify(clientMetadata(identity, about.turn, clock.now()))}`,
    ];
    return `${extra.join(',')},`;
  }

  /** A socket that went away in the meantime fails the stream, not the caller. */
  /** @returns why it could not be sent */
  #begin(socket: ResponsesSocket, frame: Buffer, stream: ResponseStream): ModelErrorCode | undefined {
    try {
      socket.begin(frame, stream);
      return undefined;
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      stream.onLost(error);
      return error.code;
    }
  }

  /** What the event says of the limits goes into `into`. */
  #inBandError(
    event: Parameters<typeof errorFromEvent>[0],
    parts: {
      readonly credentials: Credentials;
      readonly inputIndex: NonNullable<HttpErrorContext['inputIndex']>;
      readonly into: ModelEvent[];
    },
  ): ModelError {
    const { credentials, inputIndex, into } = parts;
    const url = printableUrl(this.url(credentials));
    const { error, headers } = errorFromEvent(event, { ...this.#context(credentials), inputIndex, url });
    if (error.code === 'usage-limit-reached') {
      into.push(...noteUsageLimit(this.#line.rateLimits, { headers, bodyText: JSON.stringify(event) }, error));
    }
    return error;
  }

  /** For what goes wrong behind the handshake. */
  #context(credentials: Credentials): HttpErrorContext {
    const sent = handshakeHeaders(this.#line.identity, credentials, {
      state: undefined,
      metadata: undefined,
      timingMetrics: false,
    });
    return errorContext(this.#line, sent, credentials);
  }

  /** Between requests only limits are of interest, and an error ends the connection. */
  #onIdleFrame(socket: ResponsesSocket, text: string): void {
    let raw: unknown;
    try {
      raw = JSON.parse(text);
    } catch {
      // Nobody waits for it, and nothing follows from it.
      return;
    }
    if (typeof raw !== 'object' || raw === null || !('type' in raw)) return;
    const event = raw as Parameters<typeof rateLimitsFromEvent>[0];
    if (raw.type === 'error') socket.drop();
    else if (raw.type === 'codex.rate_limits') {
      const snapshot = rateLimitsFromEvent(event);
      if (snapshot !== undefined) this.#line.rateLimits.update(snapshot);
    }
  }
}

function connectionUse(socket: ResponsesSocket, plan: InputPlan): ConnectionUse {
  const before = socket.bytes;
  return {
    reused: socket.requests > 0,
    incremental: plan.kind === 'incremental',
    bytes: () => {
      const { sent, received } = socket.bytes;
      return { sent: sent - before.sent, received: received - before.received };
    },
  };
}
