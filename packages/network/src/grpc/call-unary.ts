import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Dialer } from '../dialer.ts';
import { toNetworkError } from '../failure.ts';

export interface UnaryCall {
  /** Only scheme, host and port count. */
  readonly url: URL;
  /** `/package.Service/Method` */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly message: Uint8Array;
  /** Bytes; a longer answer fails. */
  readonly maxAnswerBytes: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface UnaryAnswer {
  readonly httpStatus: number;
  /** `undefined`: whoever answered does not speak gRPC. */
  readonly grpcStatus: number | undefined;
  /** What the server adds to a failure: an encoded `google.rpc.Status`. */
  readonly statusDetails: Buffer | undefined;
  /** Empty when the call failed. */
  readonly message: Buffer;
}

/** Flag of compression and length. */
const PREFIX_BYTES = 5;

/**
 * One gRPC call with one message each way, on a connection of its own. Rejects with NetworkError, or the reason of the
 * signal; a call that the server refuses is an answer.
 */
export async function callUnary(dialer: Pick<Dialer, 'connect'>, call: UnaryCall): Promise<UnaryAnswer> {
  const { url, timeoutMs } = call;
  const bound = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([call.signal, bound]);
  const [{ connect }, socket] = await Promise.all([
    import('node:http2'),
    dialer.connect(url, { signal: call.signal, timeoutMs, http2: true }),
  ]);
  const session = connect(url.origin, { createConnection: () => socket });
  try {
    return await exchange(session, socket, { ...call, signal });
  } catch (error) {
    call.signal.throwIfAborted();
    const timedOut = bound.aborted ? Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }) : error;
    throw toNetworkError(timedOut, url);
  } finally {
    session.destroy();
    socket.destroy();
  }
}

function exchange(session: ClientHttp2Session, socket: Duplex, call: UnaryCall): Promise<UnaryAnswer> {
  return new Promise((resolve, reject) => {
    const { signal } = call;
    const onAbort = (): void => settle(() => reject(signal.reason));
    const settle = (finish: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const fail = (error: unknown): void => settle(() => reject(error));
    // Stay attached: both may report something after the call was dealt with.
    session.on('error', fail);
    socket.on('error', fail);
    session.on('close', () => fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) {
      onAbort();
      return;
    }
    const stream = session.request({
      ':method': 'POST',
      ':path': call.path,
      ...call.headers,
      te: 'trailers',
      'content-type': 'application/grpc',
      'grpc-timeout': `${call.timeoutMs}m`,
    });
    stream.on('error', fail);
    readAnswer(stream, call.maxAnswerBytes, { fail, done: (answer) => settle(() => resolve(answer)) });
    stream.end(framed(call.message));
  });
}

function readAnswer(
  stream: ClientHttp2Stream,
  maxBytes: number,
  handlers: { readonly done: (answer: UnaryAnswer) => void; readonly fail: (error: unknown) => void },
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (headers) => {
    head = headers;
  });
  stream.on('trailers', (headers) => {
    trailers = headers;
  });
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else handlers.fail(new Error(`the answer is longer than ${maxBytes} bytes`));
  });
  stream.on('end', () => {
    // A call that fails at once has its status among the headers.
    const end = { ...head, ...trailers };
    const status = textOf(end['grpc-status']);
    const details = textOf(end['grpc-status-details-bin']);
    handlers.done({
      httpStatus: Number(head[':status'] ?? 0),
      grpcStatus: status !== undefined && /^\d+$/.test(status) ? Number(status) : undefined,
      statusDetails: details === undefined ? undefined : Buffer.from(details, 'base64'),
      message: Buffer.concat(chunks).subarray(PREFIX_BYTES),
    });
  });
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}
