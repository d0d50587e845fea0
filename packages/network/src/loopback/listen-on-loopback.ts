import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NetworkError } from '../network-error.ts';

export interface LoopbackPage {
  readonly status: number;
  /** Plain text. */
  readonly text: string;
}

export interface LoopbackListener {
  readonly port: number;
  /** Answers nobody any more; twice is fine. */
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1 for the browser of a person who comes back from a login. `onVisit` is called for every GET and
 * must not throw; other requests are refused. Rejects with NetworkError 'tcp' when the port is taken.
 *
 * @param options `port` 0 takes a free one
 */
export async function listenOnLoopback(options: {
  readonly port: number;
  readonly onVisit: (url: URL) => LoopbackPage;
}): Promise<LoopbackListener> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const isPath = path.startsWith('/') && !path.startsWith('//') && URL.canParse(path, ORIGIN);
    const page =
      request.method === 'GET' && isPath ? options.onVisit(new URL(path, ORIGIN)) : { status: 405, text: 'GET only' };
    response.writeHead(page.status, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
    });
    response.end(page.text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(taken(options.port, cause)));
    server.listen(options.port, '127.0.0.1', resolve);
  });
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        // The page that is being sent may arrive.
        setTimeout(() => server.closeAllConnections(), LAST_PAGE_MS).unref();
      });
      return closed;
    },
  };
}

const ORIGIN = 'http://127.0.0.1';
const LAST_PAGE_MS = 200;

function taken(port: number, cause: unknown): NetworkError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  return new NetworkError('tcp', `can not listen on 127.0.0.1:${port} (${reason})`, {
    host: '127.0.0.1',
    port,
    retryable: false,
    cause,
  });
}
