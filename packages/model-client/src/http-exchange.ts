import type { ModelRequest, Span } from '@quire/core';
import { ModelError, type ModelEvent } from '@quire/protocol';
import { wrongContentType } from './errors/content-type.ts';
import type { HttpErrorContext } from './errors/http-error.ts';
import { startEvents } from './events/start-events.ts';
import { destroyBody } from './http/body.ts';
import { headerText, requestIdOf } from './http/headers-in.ts';
import type { HttpResponse } from './http/transport.ts';
import { type Answered, postWithRecovery } from './post-with-recovery.ts';
import type { ReceiptRecorder } from './receipt/receipt-recorder.ts';
import type { SseCodec } from './sse/sse-codec.ts';
import { SseStream } from './sse/sse-stream.ts';
import type { ThreadLine } from './thread-line.ts';
import type { TurnState } from './turn-state.ts';

/** What differs between the dialects that ride on HTTP. */
export interface HttpDialect {
  /** Below the base URL. */
  readonly path: string;
  encode(request: ModelRequest): Buffer;
  /** For one response. */
  codec(request: ModelRequest, answered: AnsweredRequest): SseCodec;
}

export interface AnsweredRequest {
  readonly requestId: string | undefined;
  readonly response: Pick<HttpResponse, 'url' | 'headers'>;
  /** For errors that the stream reports. */
  readonly context: HttpErrorContext;
}

export interface HttpExchange {
  readonly request: ModelRequest;
  readonly dialect: HttpDialect;
  readonly turn: {
    readonly state: TurnState;
    readonly metadata: string | undefined;
    readonly span?: Span | undefined;
  };
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
  let answered: Answered;
  try {
    answered = await postWithRecovery(line, {
      path: dialect.path,
      turn: { state: turn.state.value, metadata: turn.metadata, span: turn.span },
      body: dialect.encode(request),
      inputLength: request.input.length,
      signal,
      onBegin: () => receipt.begin('http'),
      onResponse: ({ body }) => receipt.use(line.meter.measure(body.socket)),
      onFailure: (error) => receipt.fail(error),
      onLimits: (events) => limits.push(...events),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const hasStatus = error instanceof ModelError && error.httpStatus !== undefined;
    const first = [...(hasStatus ? exchange.onAnswer() : []), ...limits];
    if (first.length > 0) yield first;
    throw error;
  }
  const { response, context } = answered;
  const wrong = wrongContentType(response, { expected: 'stream' });
  if (wrong !== undefined) {
    destroyBody(response.body);
    receipt.fail(wrong);
    throw wrong;
  }
  const requestId = requestIdOf(response.headers);
  turn.state.capture(headerText(response.headers, 'x-codex-turn-state'));
  const stream = new SseStream(response.body, {
    codec: dialect.codec(request, { requestId, response, context }),
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
