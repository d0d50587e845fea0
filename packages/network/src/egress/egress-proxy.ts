import { lookup } from 'node:dns/promises';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, isIP, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { EgressProxy, EgressProxyOptions } from './egress-types.ts';
import { type Destination, HostRules, parseAuthority } from './host-rules.ts';
import { isPrivateAddress } from './private-addresses.ts';

const CONNECT_MS = 15_000;
const LOOKUP_MS = 10_000;
const MAX_CONNECTIONS = 512;
/** About one connection, and so not passed on. Source: RFC 9110, 7.6.1. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Resolve = NonNullable<EgressProxyOptions['resolve']>;

interface Refusal {
  readonly status: 400 | 403 | 502;
  /** One line. */
  readonly reason: string;
}

type Passage = { readonly destination: Destination; readonly address: string } | Refusal;

export async function startEgressProxy(options: EgressProxyOptions): Promise<EgressProxy> {
  const gate = new Gate(options);
  const servers = [gate.createServer(), gate.createServer()] as const;
  const folder = mkdtempSync(join(tmpdir(), 'quire-egress-'));
  chmodSync(folder, 0o700);
  const socketPath = join(folder, 'proxy.sock');
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    await listen(servers[0], { port: 0, host: '127.0.0.1' });
    await listen(servers[1], { path: socketPath });
  } catch (error) {
    for (const server of servers) server.close();
    removeFolder();
    throw error;
  }
  for (const server of servers) server.unref();
  process.once('exit', removeFolder);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    process.off('exit', removeFolder);
    gate.destroyAll();
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    removeFolder();
  };
  return {
    port: (servers[0].address() as AddressInfo).port,
    socketPath,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

function listen(
  server: ReturnType<typeof createServer>,
  where: { readonly port: number; readonly host: string } | { readonly path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Decides who gets through, and carries the bytes. */
class Gate {
  readonly #rules: HostRules;
  readonly #resolve: Resolve;
  readonly #sockets = new Set<Duplex>();

  constructor(options: EgressProxyOptions) {
    this.#rules = new HostRules(options.allowedHosts);
    this.#resolve = options.resolve ?? ((host) => lookup(host, { all: true }));
  }

  createServer(): ReturnType<typeof createServer> {
    const server = createServer((request, response) => void this.#forward(request, response));
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => this.#keep(socket));
    server.on('connect', (request, socket, head) => void this.#tunnel(request, socket, head));
    return server;
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Looks up a name itself and connects to what it found, so that a second answer can not lead elsewhere. */
  async #pass(destination: Destination | undefined): Promise<Passage> {
    if (destination === undefined) return { status: 400, reason: 'this is no host with a port' };
    const { host } = destination;
    if (!this.#rules.allows(destination)) return { status: 403, reason: `${host} is not among the allowed hosts` };
    if (isIP(host) !== 0) return { destination, address: host };
    const addresses = await this.#lookup(host);
    const usable = this.#rules.names(host) ? addresses : addresses.filter((address) => !isPrivateAddress(address));
    const [address] = usable;
    if (address !== undefined) return { destination, address };
    return addresses.length === 0
      ? { status: 502, reason: `${host} was not found` }
      : {
          status: 403,
          reason: `${host} leads to this machine or its own network, which only a rule of its own allows`,
        };
  }

  async #lookup(host: string): Promise<readonly string[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly never[]>((resolve) => {
      timer = setTimeout(() => resolve([]), LOOKUP_MS);
    });
    try {
      const found = await Promise.race([this.#resolve(host), late]);
      return found.map(({ address }) => address);
    } catch {
      return []; // not found
    } finally {
      clearTimeout(timer);
    }
  }

  async #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const passage = await this.#pass(parseAuthority(request.url ?? '', /* defaultPort */ undefined));
    if ('status' in passage) {
      client.end(`HTTP/1.1 ${passage.status} ${statusText(passage)}\r\nconnection: close\r\n\r\n${passage.reason}\n`);
      return;
    }
    const server = await this.#connect(passage.address, passage.destination.port);
    if (server === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\nno connection\n');
      return;
    }
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) server.write(head);
    client.pipe(server).pipe(client);
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroy());
  }

  #connect(host: string, port: number): Promise<Socket | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ host, port });
      this.#keep(socket);
      const timer = setTimeout(() => socket.destroy(), CONNECT_MS);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('close', fail);
        resolve(socket);
      });
      const fail = (): void => {
        clearTimeout(timer);
        resolve(undefined);
      };
      socket.once('close', fail);
    });
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = parseUrl(request.url ?? '');
    const passage = await this.#pass(url && parseAuthority(url.host, /* defaultPort */ 80));
    if ('status' in passage) {
      response.writeHead(passage.status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(`${passage.reason}\n`);
      return;
    }
    const upstream = httpRequest({
      host: passage.address,
      port: passage.destination.port,
      method: request.method,
      path: `${url?.pathname}${url?.search}`,
      headers: { ...passedHeaders(request.headers), host: url?.host },
      timeout: CONNECT_MS,
    });
    upstream.once('socket', (socket) => this.#keep(socket));
    upstream.once('response', (answer) => {
      upstream.setTimeout(0);
      response.writeHead(answer.statusCode ?? 502, passedHeaders(answer.headers));
      answer.pipe(response);
    });
    upstream.once('timeout', () => upstream.destroy());
    upstream.on('error', () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { connection: 'close' }).end('no connection\n');
    });
    response.once('close', () => upstream.destroy());
    request.pipe(upstream);
  }
}

function statusText({ status }: Refusal): string {
  return { 400: 'Bad Request', 403: 'Forbidden', 502: 'Bad Gateway' }[status];
}

/** The absolute form of a request to a proxy; only `http:`, since all else comes through a tunnel. */
function parseUrl(text: string): URL | undefined {
  if (!/^http:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' ? url : undefined;
}

function passedHeaders(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_HEADERS.has(name) && !named.has(name)));
}
