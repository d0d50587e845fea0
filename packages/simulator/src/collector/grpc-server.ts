import type { ServerHttp2Stream } from 'node:http2';
import type { Server } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { CollectorAnswer, CollectorDesk } from './collector-desk.ts';
import { partialSuccess } from './http-server.ts';

/** Flag of compression and length. */
const PREFIX_BYTES = 5;

/** OTLP over gRPC. */
export async function createGrpcServer(tls: TlsOptions | undefined): Promise<(desk: CollectorDesk) => Server> {
  const { createSecureServer, createServer } = await import('node:http2');
  return (desk) => {
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('error', () => stream.destroy());
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const body = Buffer.concat(chunks).subarray(PREFIX_BYTES);
        const { answer } = desk.receive({ path: headers[':path'] ?? '', headers, body });
        respond(stream, answer);
      });
    });
    server.on('sessionError', () => undefined); // A client that went away.
    if (tls !== undefined) server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  };
}

function respond(stream: ServerHttp2Stream, answer: CollectorAnswer | undefined): void {
  if (answer?.kind === 'hang') return;
  if (answer?.kind === 'http') {
    stream.respond({ ':status': answer.status, ...answer.headers });
    stream.end(answer.body ?? '');
    return;
  }
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  if (answer?.kind === 'grpc') {
    const { status, retryAfterMs } = answer;
    const details = retryAfterMs === undefined ? {} : { 'grpc-status-details-bin': retryInfo(status, retryAfterMs) };
    stream.respond({ ...head, 'grpc-status': String(status), ...details }, { endStream: true });
    return;
  }
  const message = partialSuccess(answer?.rejected ?? 0);
  const frame = Buffer.alloc(PREFIX_BYTES);
  frame.writeUInt32BE(message.length, 1);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond(head, { waitForTrailers: true });
  stream.end(Buffer.concat([frame, message]));
}

/** A `google.rpc.Status` with a `RetryInfo` of less than 128 ms. */
function retryInfo(status: number, retryAfterMs: number): string {
  const nanoseconds = retryAfterMs * 1_000_000;
  const varint: number[] = [];
  for (let rest = nanoseconds; ; rest = Math.floor(rest / 128)) {
    varint.push(rest < 128 ? rest : (rest % 128) | 0x80);
    if (rest < 128) break;
  }
  const field = (number: number, content: Buffer): Buffer => Buffer.from([number * 8 + 2, content.length, ...content]);
  const delay = field(/* number */ 1, Buffer.from([2 * 8, ...varint]));
  const any = Buffer.concat([
    field(/* number */ 1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
    field(/* number */ 2, delay),
  ]);
  return Buffer.concat([Buffer.from([8, status]), field(/* number */ 3, any)]).toString('base64');
}
