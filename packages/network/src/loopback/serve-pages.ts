import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
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
/** Attempts at a port that is free on both addresses, when any will do. */
const ATTEMPTS = 5;

/**
 * Serves the browser of a person on this machine: pages in HTML, that may take a moment to be known. `onVisit` is called
 * for every GET and must not reject. Each connection is closed behind its page: one that a browser keeps would delay
 * the end. Rejects with PortTakenError.
 *
 * It listens on 127.0.0.1, and where the machine has it on ::1, too: browsers try that first for `localhost`, and a port
 * that another program has there would bring them to that program.
 */
export async function servePages(options: {
  /** 0 takes a free one. */
  readonly port: number;
  readonly onVisit: (url: URL) => Promise<Page>;
}): Promise<PageServer> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '/';
    const isPath = path.startsWith('/') && !path.startsWith('//') && URL.canParse(path, ORIGIN);
    if (request.method !== 'GET' || !isPath) {
      send(response, { kind: 'text', status: 405, body: 'GET only' });
      return;
    }
    void options.onVisit(new URL(path, ORIGIN)).then((page) => send(response, page));
  };
  const servers = await listenOnBoth(options.port, answer);
  let closed: Promise<void> | undefined;
  return {
    port: portOf(servers[0]),
    close: () => {
      closed ??= Promise.all(servers.map(closeServer)).then(() => undefined);
      return closed;
    },
  };
}

type Servers = readonly [Server, ...Server[]];

async function listenOnBoth(port: number, answer: RequestListener): Promise<Servers> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await listen('127.0.0.1', port, answer);
    try {
      return [server, await listen('::1', portOf(server), answer)];
    } catch (error) {
      if (!(error instanceof PortTakenError)) throw error;
      if (codeOf(error.cause) !== 'EADDRINUSE') return [server]; // no such address here
      await closeServer(server);
      if (port !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

async function listen(host: string, port: number, answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const place = host.includes(':') ? `[${host}]` : host;
      reject(new PortTakenError(`can not listen on ${place}:${port} (${codeOf(cause)})`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  return server;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), LAST_PAGE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // an object: it listens on an address, not on a pipe
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

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
