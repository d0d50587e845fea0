import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { CollectorAnswer, CollectorDesk } from './collector-desk.ts';
import type { TelemetrySignal } from './read-records.ts';

const REJECTED = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' } as const;

/** OTLP over HTTP. */
export async function createHttpCollector(tls: TlsOptions | undefined): Promise<(desk: CollectorDesk) => Server> {
  if (tls === undefined) return (desk) => createServer(listener(desk));
  const { createServer: createTlsServer } = await import('node:https');
  return (desk) => {
    const server = createTlsServer(tls, listener(desk));
    // A client that does not trust the certificate breaks off the handshake: its finding, not ours.
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  };
}

function listener(desk: CollectorDesk): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => response.destroy());
    response.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { headers, url: path = '' } = request;
      const { signal, answer } = desk.receive({ path, headers, body: Buffer.concat(chunks) });
      respond(response, { signal, answer, isJson: headers['content-type'] === 'application/json' });
    });
  };
}

function respond(
  response: ServerResponse,
  as: {
    readonly signal: TelemetrySignal | undefined;
    readonly answer: CollectorAnswer | undefined;
    readonly isJson: boolean;
  },
): void {
  const { signal = 'traces', answer, isJson } = as;
  const type = isJson ? 'application/json' : 'application/x-protobuf';
  if (answer?.kind === 'hang') return;
  if (answer?.kind === 'http') {
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body ?? '');
    return;
  }
  const rejected = answer?.kind === 'partial' ? answer.rejected : 0;
  const partial = { partialSuccess: { [REJECTED[signal]]: String(rejected), errorMessage: 'too many' } };
  const json = Buffer.from(JSON.stringify(rejected === 0 ? {} : partial));
  response.writeHead(200, { 'content-type': type }).end(isJson ? json : partialSuccess(rejected));
}

/** `ExportTraceServiceResponse` and its like. Small numbers only. */
export function partialSuccess(rejected: number): Buffer {
  return rejected === 0 ? Buffer.alloc(0) : Buffer.from([0x0a, 2, 0x08, rejected]);
}
