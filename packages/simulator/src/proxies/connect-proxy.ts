import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ServerCertificate } from '../tls/certificate-authority.ts';
import { type Endpoint, type ProxyCredentials, type ProxyServer, startProxyServer, tunnel } from './proxy-server.ts';

export interface ConnectProxyOptions {
  /** Asked for with 407. */
  readonly credentials?: ProxyCredentials;
  /** Makes it an https proxy. */
  readonly tls?: ServerCertificate;
  /** Answers everything with this status. */
  readonly refuseWith?: number;
  /** Accepts connections and never answers. */
  readonly silent?: boolean;
  /** Where a name leads; default: to itself. */
  readonly resolve?: (target: Endpoint) => Endpoint;
}

/** What a proxy was asked. */
export interface ProxyRequest {
  readonly method: string;
  /** `host:port` of a CONNECT, an absolute URL otherwise. */
  readonly target: string;
  readonly authorization: string | undefined;
}

export interface ConnectProxy extends ProxyServer {
  readonly requests: readonly ProxyRequest[];
}

/** An HTTP proxy on loopback: CONNECT, and plain http in absolute form. */
export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const requests: ProxyRequest[] = [];
  const sockets = new Set<Duplex>();
  const server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
  const refusal = (request: IncomingMessage): number | undefined => {
    const authorization = request.headers['proxy-authorization'];
    requests.push({ method: request.method ?? '', target: request.url ?? '', authorization });
    if (options.refuseWith !== undefined) return options.refuseWith;
    return isAuthorized(options.credentials, authorization) ? undefined : 407;
  };
  server.on('connect', (request: IncomingMessage, client: Duplex) => {
    const status = refusal(request);
    if (options.silent === true) return;
    if (status !== undefined) client.end(head(status));
    else openTunnel(request.url ?? '', client);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const status = refusal(request);
    if (options.silent === true) return;
    if (status !== undefined) response.writeHead(status, { 'content-length': 0 }).end();
    else forward(request, response, resolve);
  });
  const resolve = options.resolve ?? ((target: Endpoint) => target);
  const openTunnel = (authority: string, client: Duplex): void => {
    const target = parseAuthority(authority);
    if (target === undefined) {
      client.end(head(/* status */ 400));
      return;
    }
    tunnel(client, resolve(target), sockets, {
      onOpen: () => client.write('HTTP/1.1 200 Connection Established\r\n\r\n'),
      onFailure: () => client.end(head(/* status */ 502)),
    });
  };
  const scheme = options.tls === undefined ? 'http' : 'https';
  return { ...(await startProxyServer(server, { scheme, sockets })), requests };
}

function head(status: number): string {
  return `HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
}

function isAuthorized(wanted: ProxyCredentials | undefined, authorization: string | undefined): boolean {
  if (wanted === undefined) return true;
  const value = Buffer.from(`${wanted.username}:${wanted.password}`).toString('base64');
  return authorization === `Basic ${value}`;
}

function parseAuthority(authority: string): Endpoint | undefined {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d+)$/i.exec(authority);
  const host = parts?.[1] ?? parts?.[2];
  return host === undefined ? undefined : { host, port: Number(parts?.[3]) };
}

function forward(request: IncomingMessage, response: ServerResponse, resolve: (target: Endpoint) => Endpoint): void {
  const text = request.url ?? '';
  if (!URL.canParse(text)) {
    response.writeHead(400).end();
    return;
  }
  const url = new URL(text);
  const { host, port } = resolve({ host: url.hostname, port: Number(url.port === '' ? 80 : url.port) });
  const { 'proxy-authorization': _consumed, ...headers } = request.headers;
  const path = `${url.pathname}${url.search}`;
  const upstream = httpRequest({ host, port, path, method: request.method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  });
  response.once('close', () => upstream.destroy());
  request.pipe(upstream);
}
