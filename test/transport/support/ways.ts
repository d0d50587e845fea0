import { startConnectProxy, startSocksProxy } from '@quire/simulator';

export interface Way extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  /** Tunnels that were asked for, the refused ones among them. */
  readonly targets: () => readonly string[];
}

const direct = async (): Promise<Way> => ({
  environment: {},
  targets: () => [],
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

const connectProxy = async (): Promise<Way> => {
  const proxy = await startConnectProxy();
  const targets = () => proxy.requests.map(({ method, target }) => `${method} ${target}`);
  return {
    environment: { HTTPS_PROXY: proxy.url },
    targets,
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
};

const connectProxyWithCredentials = async (): Promise<Way> => {
  const proxy = await startConnectProxy({ credentials: { username: 'user', password: 'p@ss' } });
  const targets = () => proxy.requests.map(({ method, target }) => `${method} ${target}`);
  const environment = { HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${proxy.port}` };
  return { environment, targets, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
};

const socksProxy = async (): Promise<Way> => {
  const proxy = await startSocksProxy();
  const targets = () => proxy.requests.map(({ host, port }) => `CONNECT ${host}:${port}`);
  return { environment: { ALL_PROXY: proxy.url }, targets, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
};

/** How a connection over TLS can get to the other side. */
export const WAYS = [
  { way: 'direct', open: direct },
  { way: 'CONNECT', open: connectProxy },
  { way: 'CONNECT with credentials', open: connectProxyWithCredentials },
  { way: 'SOCKS5', open: socksProxy },
] as const;
