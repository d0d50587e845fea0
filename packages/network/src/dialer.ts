import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { StageListener } from './connect/open-connection.ts';
import type { DialerLog } from './dialer-log.ts';
import type { Environment } from './environment.ts';
import { NetworkError } from './network-error.ts';
import type { ProxyEndpoint } from './proxy/proxy-endpoint.ts';
import { plainRoute } from './route/plain-route.ts';
import type { Route } from './route/route.ts';
import { parseTarget, type Target } from './target.ts';
import type { TlsFiles } from './trust/tls-files.ts';
import { untilAborted } from './until-aborted.ts';

export interface DialerOptions {
  /** For the certificates to trust and for proxies. */
  readonly environment: Environment;
  readonly tls?: TlsFiles;
  /** Called synchronously; must not throw. */
  readonly log?: (record: DialerLog) => void;
}

export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** For the whole way: TCP, proxy, TLS. */
  readonly timeoutMs: number;
  /** Speak HTTP/2 where the scheme asks for TLS; the server must agree. */
  readonly http2?: boolean;
  /** Hears of each stage that was passed. */
  readonly onPassed?: StageListener;
}

/** Makes every outgoing connection. What TLS and proxies need is loaded when the first connection needs it. */
export interface Dialer {
  /**
   * A pooled route for HTTP requests to the origin of `url` (http or https). Plain http goes through an HTTP
   * proxy in absolute form, everything else in a tunnel. Rejects with NetworkError 'configuration', or the reason of
   * the signal.
   */
  route(url: URL, options?: { readonly signal: AbortSignal }): Promise<Route>;
  /**
   * A connected socket for a WebSocket or another protocol (http, https, ws, wss), with TLS finished where the
   * scheme asks for it; in a tunnel wherever there is a proxy. The caller owns it. Rejects with NetworkError, or
   * the reason of the signal.
   */
  connect(url: URL, options: ConnectOptions): Promise<Duplex>;
  /** Destroys the pooled sockets and ends what is being connected. Closing twice is fine. */
  close(): void;
}

/** Opens nothing and reads nothing yet. */
export function createDialer(options: DialerOptions): Dialer {
  return new EnvironmentDialer(options);
}

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

class EnvironmentDialer implements Dialer {
  readonly #environment: Environment;
  readonly #tls: TlsFiles | undefined;
  readonly #log: (record: DialerLog) => void;
  readonly #routes = new Map<string, Promise<Route>>();
  readonly #connecting = new Set<AbortController>();
  #trusted: Promise<SecureContext | undefined> | undefined;
  #closed = false;

  constructor({ environment, tls, log }: DialerOptions) {
    this.#environment = environment;
    this.#tls = tls;
    this.#log = log ?? (() => undefined);
  }

  async route(url: URL, options?: { readonly signal: AbortSignal }): Promise<Route> {
    options?.signal.throwIfAborted();
    const target = parseTarget(url);
    this.#throwIfClosed(target);
    let route = this.#routes.get(url.origin);
    if (route === undefined) {
      route = this.#createRoute(target);
      this.#routes.set(url.origin, route);
      // A file may be corrected meanwhile: the next request tries again.
      route.catch(() => this.#routes.delete(url.origin));
    }
    return await (options === undefined ? route : untilAborted(route, options.signal));
  }

  async connect(url: URL, { signal, timeoutMs, http2, onPassed }: ConnectOptions): Promise<Duplex> {
    signal.throwIfAborted();
    const target = parseTarget(url);
    this.#throwIfClosed(target);
    const local = new AbortController();
    const onAbort = (): void => local.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#connecting.add(local);
    try {
      const [proxy, { openConnection }] = await Promise.all([
        this.#selectProxy(target),
        import('./connect/open-connection.ts'),
      ]);
      const protocol = http2 === true ? 'h2' : 'http/1.1';
      const way = { target, proxy, trust: this.#trust, protocol } as const;
      return await openConnection({ ...way, signal: local.signal, timeoutMs, onPassed });
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#connecting.delete(local);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const controller of this.#connecting) controller.abort(closedError({ host: '', port: 0 }));
    for (const route of this.#routes.values()) {
      route.then(
        ({ agent }) => agent.destroy(),
        () => undefined, // A route that could not be made has no sockets; its error went to the request.
      );
    }
  }

  async #createRoute(target: Target): Promise<Route> {
    const proxy = await this.#selectProxy(target);
    if (proxy !== undefined) return await this.#proxiedRoute(target, proxy);
    if (!target.secure) return plainRoute(target);
    const [{ tlsRoute }, trust] = await Promise.all([import('./route/tls-route.ts'), this.#trust()]);
    return tlsRoute(target, trust);
  }

  async #proxiedRoute(target: Target, proxy: ProxyEndpoint): Promise<Route> {
    const way = { target, proxy, trust: this.#trust };
    if (!target.secure && (proxy.scheme === 'http' || proxy.scheme === 'https')) {
      return (await import('./route/forwarded-route.ts')).forwardedRoute(way);
    }
    return (await import('./route/tunnelled-route.ts')).tunnelledRoute(way);
  }

  async #selectProxy(target: Target): Promise<ProxyEndpoint | undefined> {
    if (!PROXY_VARIABLES.some((name) => (this.#environment[name] ?? '') !== '')) return undefined;
    const { selectProxy } = await import('./proxy/select-proxy.ts');
    const proxy = selectProxy(target, this.#environment);
    if (proxy !== undefined) {
      const { variable, authority } = proxy;
      this.#log({ kind: 'proxy-selected', variable, proxy: authority, target: target.authority });
    }
    return proxy;
  }

  /** Parsed once; a failure is tried again with the next connection. */
  readonly #trust = (): Promise<SecureContext | undefined> => {
    this.#trusted ??= import('./trust/load-trust.ts').then(({ loadTrust }) =>
      loadTrust(this.#environment, this.#log, this.#tls),
    );
    this.#trusted.catch(() => {
      this.#trusted = undefined;
    });
    return this.#trusted;
  };

  #throwIfClosed(target: Target): void {
    if (this.#closed) throw closedError(target);
  }
}

function closedError({ host, port }: Pick<Target, 'host' | 'port'>): NetworkError {
  return new NetworkError('tcp', 'the connection was given up: the dialer is closed', { host, port, retryable: false });
}
