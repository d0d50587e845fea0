import { callUnary, type Dialer, NetworkError, type UnaryAnswer } from '@quire/network';
import type { Signal } from '../options.ts';
import { rejectedInProtobuf } from '../otlp/partial-success.ts';
import { bytesAt, numberAt, readProtobuf } from '../otlp/protobuf-reader.ts';
import { ANSWER_TIMEOUT_MS, type Courier, MAX_ANSWER_BYTES, type SendOutcome } from './send-outcome.ts';

const PATHS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
};

/** Cancelled, deadline exceeded, aborted, out of range, unavailable, data loss. Source: OTLP specification. */
const LATER: ReadonlySet<number> = new Set([1, 4, 10, 11, 14, 15]);
/** Worth another attempt only when the server says when. */
const RESOURCE_EXHAUSTED = 8;
const RETRY_INFO = 'google.rpc.RetryInfo';

/** OTLP over gRPC: one call and one connection for each message. */
export class GrpcCourier implements Courier {
  readonly #dialer: Dialer;
  readonly #address: { readonly url: URL; readonly headers: Readonly<Record<string, string>>; readonly signal: Signal };

  constructor(
    dialer: Dialer,
    address: { readonly url: URL; readonly headers: Readonly<Record<string, string>>; readonly signal: Signal },
  ) {
    this.#dialer = dialer;
    this.#address = address;
  }

  async send(message: Buffer, { signal }: { readonly signal: AbortSignal }): Promise<SendOutcome> {
    const { url, headers } = this.#address;
    try {
      const answer = await callUnary(this.#dialer, {
        url,
        path: PATHS[this.#address.signal],
        headers: { 'user-agent': 'quire', ...headers },
        message,
        maxAnswerBytes: MAX_ANSWER_BYTES,
        timeoutMs: ANSWER_TIMEOUT_MS,
        signal,
      });
      return judge(answer);
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      const mayPass = error instanceof NetworkError && error.retryable;
      return mayPass ? { kind: 'later', afterMs: undefined, reason } : { kind: 'refused', reason };
    }
  }
}

function judge({ httpStatus, grpcStatus, statusDetails, message }: UnaryAnswer): SendOutcome {
  if (grpcStatus === undefined) {
    const reason = `HTTP status ${httpStatus} without a gRPC status`;
    return httpStatus >= 502 && httpStatus <= 504
      ? { kind: 'later', afterMs: undefined, reason }
      : { kind: 'refused', reason };
  }
  if (grpcStatus === 0) return { kind: 'taken', rejected: rejectedInProtobuf(message) ?? 0 };
  const afterMs = retryDelayMs(statusDetails);
  const reason = `gRPC status ${grpcStatus}`;
  const mayPass = LATER.has(grpcStatus) || (grpcStatus === RESOURCE_EXHAUSTED && afterMs !== undefined);
  return mayPass ? { kind: 'later', afterMs, reason } : { kind: 'refused', reason };
}

/** The delay in the details of a `google.rpc.Status`. */
function retryDelayMs(details: Buffer | undefined): number | undefined {
  if (details === undefined) return undefined;
  for (const { field, value } of readProtobuf(details) ?? []) {
    if (field !== 3 || !Buffer.isBuffer(value)) continue;
    const any = readProtobuf(value);
    const type = bytesAt(any, /* field */ 1)?.toString('utf8') ?? '';
    if (!type.endsWith(`/${RETRY_INFO}`)) continue;
    const delay = readProtobuf(
      bytesAt(readProtobuf(bytesAt(any, /* field */ 2) ?? Buffer.alloc(0)), /* field */ 1) ?? Buffer.alloc(0),
    );
    return numberAt(delay, /* field */ 1) * 1_000 + Math.floor(numberAt(delay, /* field */ 2) / 1e6);
  }
  return undefined;
}
