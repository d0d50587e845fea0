import type { ModelRequest } from '@quire/core';
import { type Credentials, ModelError, type ModelEvent } from '@quire/protocol';
import { wrongContentType } from './errors/content-type.ts';
import { httpError } from './errors/http-error.ts';
import { printableUrl } from './errors/redact.ts';
import { startEvents } from './events/start-events.ts';
import { destroyBody } from './http/body.ts';
import { headerText, type ResponseHeaders, requestIdOf } from './http/headers-in.ts';
import type { HttpResponse } from './http/transport.ts';
import { noteUsageLimit } from './limits/note-usage-limit.ts';
import type { ReceiptRecorder } from './receipt/receipt-recorder.ts';
import { requestHeaders } from './request/headers.ts';
import { requestUrl } from './request/url.ts';
import { requestWithRetries } from './request-with-retries.ts';
import type { SseCodec } from './sse/sse-codec.ts';
import { SseStream } from './sse/sse-stream.ts';
import { currentCredentials, errorContext, type ThreadLine } from './thread-line.ts';
import type { TurnState } from './turn-state.ts';
import { UnauthorizedRecovery } from './unauthorized/recovery.ts';

const MAX_RETRIES = 100;

/** What differs between the dialects that ride on HTTP. */
export interface HttpDialect {
  /** Below the base URL. */
  readonly path: string;
  encode(request: ModelRequest): Buffer;
  /** For one response. */
  codec(
    request: ModelRequest,
    response: { readonly requestId: string | undefined; readonly headers: ResponseHeaders },
  ): SseCodec;
}

export interface HttpExchange {
  readonly request: ModelRequest;
  readonly dialect: HttpDialect;
  readonly turn: { readonly state: TurnState; readonly metadata: string | undefined };
  readonly signal: AbortSignal;
  readonly receipt: ReceiptRecorder;
  /** The server answered, whatever it said. Gives events that come before all others. */
  readonly onAnswer: () => readonly ModelEvent[];
}

/** One sampling request over HTTP with its retries, as batches of events. Throws as `ModelTurn.stream` does. */
export async function* exchangeOverHttp(
  line: ThreadLine,
  exchange: HttpExchange,
): AsyncGenerator<readonly ModelEvent[], void, undefined> {
  const { request, dialect, turn, signal, receipt } = exchange;
  const limits: ModelEvent[] = [];
  let response: HttpResponse;
  try {
    response = await send(line, exchange, limits);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const answered = error instanceof ModelError && error.httpStatus !== undefined;
    const first = [...(answered ? exchange.onAnswer() : []), ...limits];
    if (first.length > 0) yield first;
    throw error;
  }
  receipt.use(line.meter.measure(response.body.socket));
  const wrong = wrongContentType(response);
  if (wrong !== undefined) {
    destroyBody(response.body);
    receipt.fail(wrong);
    throw wrong;
  }
  const requestId = requestIdOf(response.headers);
  turn.state.capture(headerText(response.headers, 'x-codex-turn-state'));
  const stream = new SseStream(response.body, {
    codec: dialect.codec(request, { requestId, headers: response.headers }),
    idleTimeoutMs: line.identity.provider.streamIdleTimeoutMs,
    signal,
    clock: line.clock,
    observer: line.observer,
    requestId,
  });
  try {
    const first = startEvents(response.headers);
    for (const event of first) if (event.kind === 'rate-limits') line.rateLimits.update(event.snapshot);
    yield [...exchange.onAnswer(), ...first];
    for await (const batch of stream.batches()) {
      receipt.note(batch);
      yield batch;
    }
    signal.throwIfAborted();
  } catch (error) {
    if (error instanceof ModelError) receipt.fail(error);
    throw error;
  } finally {
    stream.close();
  }
}

/** Repeats the request with new credentials as long as a 401 can be recovered from. */
async function send(line: ThreadLine, exchange: HttpExchange, limits: ModelEvent[]): Promise<HttpResponse> {
  const { signal } = exchange;
  const recovery = new UnauthorizedRecovery({ source: line.credentials, observer: line.observer, tags: line.authTags });
  let credentials: Credentials | undefined = await currentCredentials(line, signal);
  try {
    for (;;) {
      const outcome: HttpResponse | Refused = await sendOnce(line, exchange, { credentials, recovery, limits });
      if (!('error' in outcome)) return outcome;
      credentials = await recovery.next({ credentials, headers: outcome.headers }, { signal });
      if (credentials === undefined) throw outcome.error;
    }
  } finally {
    await recovery.close();
  }
}

interface Refused {
  readonly error: ModelError;
  readonly headers: ResponseHeaders;
}

/** When a used-up allowance ends the request, what its headers say of the limits goes into `limits`. */
async function sendOnce(
  line: ThreadLine,
  exchange: HttpExchange,
  parts: { readonly credentials: Credentials; readonly recovery: UnauthorizedRecovery; readonly limits: ModelEvent[] },
): Promise<HttpResponse | Refused> {
  const { identity, clock, entropy, observer, authTags } = line;
  const { request, dialect, turn, signal, receipt } = exchange;
  const { credentials, recovery, limits } = parts;
  const { provider } = identity;
  const url = requestUrl(provider, credentials, dialect.path);
  const sent = requestHeaders(identity, credentials, { state: turn.state.value, metadata: turn.metadata });
  const plain = { url, ...sent, body: dialect.encode(request), signal, headersTimeoutMs: provider.streamIdleTimeoutMs };
  const post = (await line.compressor?.apply(plain, credentials)) ?? plain;
  signal.throwIfAborted();
  let refusedBy: ResponseHeaders | undefined;
  let status: number | undefined;
  receipt.begin('http');
  const tags = { endpoint: `/${dialect.path}`, credentials, after: recovery.lastStep };
  try {
    const response = await requestWithRetries(line.transport, post, {
      maxRetries: Math.min(provider.requestMaxRetries, MAX_RETRIES),
      clock,
      entropy,
      observer,
      onFailure: (error) => receipt.fail(error),
      toError: (failed, bodyText) => {
        refusedBy = failed.headers;
        status = failed.status;
        const response = { status, headers: refusedBy, bodyText, url: printableUrl(failed.url) };
        const error = httpError(response, errorContext(line, sent, credentials));
        if (error.code === 'usage-limit-reached') limits.push(...noteUsageLimit(line.rateLimits, response, error));
        return error;
      },
    });
    authTags.noteRequest({ ...tags, status: response.status, error: undefined, headers: response.headers });
    observer.authTags?.(authTags.tags);
    return response;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    authTags.noteRequest({ ...tags, status, error: error.code, headers: refusedBy });
    observer.authTags?.(authTags.tags);
    if (error.httpStatus === 401 && refusedBy !== undefined) return { error, headers: refusedBy };
    throw error;
  }
}
