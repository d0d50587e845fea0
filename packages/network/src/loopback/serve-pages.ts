import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Page =
  | { readonly kind: 'text' | 'html'; readonly status: number; readonly body: string }
  | { readonly kind: 'redirect'; readonly location: string };

export interface PageServer {
  readonly port: number;
  /** Answers nobody any more; a page that is being sent may arrive. Twice is fine. */
  close(): Promise<void>;
}

/** The port belongs to somebody else. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

const ORIGIN = 'http://127.0.0.1';
const LAST_PAGE_MS = 500;

/**
 * Serves the browser of a person on this machine: pages in HTML, that may take a moment to be known. `onVisit` is called
 * for every GET and must not reject. Each connection is closed behind its page: one that a browser keeps would delay
 * the end. Rejects with PortTakenError.
 */
export async function servePages(options: {
  /** 0 takes a free one. */
  readonly port: number;
  readonly onVisit: (url: URL) => Promise<Page>;
}): Promise<PageServer> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const isPath = path.startsWith('/') && !path.startsWith('//') && URL.canParse(path, ORIGIN);
    if (request.method !== 'GET' || !isPath) {
      send(response, { kind: 'text', status: 405, body: 'GET only' });
      return;
    }
    void options.onVisit(new URL(path, ORIGIN)).then((page) => send(response, page));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new PortTakenError(`can not listen on 127.0.0.1:${options.port} (${codeOf(cause)})`, { cause }));
    });
    server.listen(options.port, '127.0.0.1', resolve);
  });
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port, // an object: it listens on an address, not on a pipe
    close: () => {
      closed ??= new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), LAST_PAGE_MS);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      });
      return closed;
    },
  };
}

const COMMON = {
  'cache-control': 'no-store',
  connection: 'close',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
};

function send(response: ServerResponse, page: Page): void {
  if (page.kind === 'redirect') {
    response.writeHead(302, { ...COMMON, location: page.location }).end();
    return;
  }
  const type = page.kind === 'html' ? 'text/html' : 'text/plain';
  response.writeHead(page.status, { ...COMMON, 'content-type': `${type}; charset=utf-8` }).end(page.body);
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : 'unknown error';
}
