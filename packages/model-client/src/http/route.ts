import { Agent, type ClientRequest, type RequestOptions, request as httpRequest } from 'node:http';
import { hostAndPort } from '../errors/connection-error.ts';
import type { Environment } from '../request/headers.ts';
import type { ProxyEndpoint } from './proxy.ts';

/** How requests to one origin are made: directly, through a proxy, with which pool of sockets. */
export interface Route {
  readonly agent: Agent;
  /** `host:port` of the proxy. */
  readonly proxy: string | undefined;
  open(url: URL, options: OpenOptions): ClientRequest;
}

export interface OpenOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export interface RouteOptions {
  readonly environment: Environment;
  /** Certificates to trust instead of the system's. PEM. */
  readonly ca: readonly string[] | undefined;
}

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
const POOL = { keepAlive: true, scheduling: 'lifo' } as const;

/** What TLS and proxies need is loaded only for a route that has them. */
export async function createRoute(url: URL, options: RouteOptions): Promise<Route> {
  const proxy = await findProxy(url, options.environment);
  if (url.protocol === 'https:') return proxy === undefined ? directTls(options) : tunnelled(proxy, options);
  return proxy === undefined ? direct() : forwarded(proxy, options);
}

async function findProxy(url: URL, environment: Environment): Promise<ProxyEndpoint | undefined> {
  if (!PROXY_VARIABLES.some((name) => (environment[name] ?? '') !== '')) return undefined;
  const { proxyFor } = await import('./proxy.ts');
  return proxyFor(url, environment);
}

function direct(): Route {
  const agent = new Agent(POOL);
  return {
    agent,
    proxy: undefined,
    open: (url, { headers }) => httpRequest({ ...post(url, headers), agent }),
  };
}

async function directTls({ ca }: RouteOptions): Promise<Route> {
  const https = await import('node:https');
  const agent = new https.Agent({ ...POOL, ...(ca === undefined ? {} : { ca: [...ca] }) });
  return {
    agent,
    proxy: undefined,
    open: (url, { headers }) => https.request({ ...post(url, headers), agent }),
  };
}

/** A plain http target behind a proxy: the request goes to the proxy in absolute form. */
async function forwarded(proxy: ProxyEndpoint, { ca }: RouteOptions): Promise<Route> {
  const secure = proxy.url.protocol === 'https:';
  const https = secure ? await import('node:https') : undefined;
  const agent =
    https === undefined ? new Agent(POOL) : new https.Agent({ ...POOL, ...(ca === undefined ? {} : { ca: [...ca] }) });
  const request = https?.request ?? httpRequest;
  const extra = proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization };
  return {
    agent,
    proxy: hostAndPort(proxy.url),
    open: (url, { headers }) => {
      const path = `${url.origin}${url.pathname}${url.search}`;
      return request({ ...post(proxy.url, { ...headers, ...extra, host: url.host }), path, agent });
    },
  };
}

async function tunnelled(proxy: ProxyEndpoint, { ca }: RouteOptions): Promise<Route> {
  const [{ TunnelAgent }, https] = await Promise.all([import('./tunnel-agent.ts'), import('node:https')]);
  const agent = new TunnelAgent(proxy, { ca });
  return {
    agent,
    proxy: hostAndPort(proxy.url),
    open: (url, { headers, signal, timeoutMs }) => {
      const tunnel = { target: url, signal, timeoutMs };
      // Node hands options that it does not know on to the agent.
      return https.request({ ...post(url, headers), agent, tunnel } as RequestOptions);
    },
  };
}

function post(url: URL, headers: Readonly<Record<string, string>>): RequestOptions {
  return {
    method: 'POST',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers },
  };
}
