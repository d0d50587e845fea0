import { createDialer, type Environment } from '@quire/network';
import { startConnectProxy, startSocksProxy } from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, createCertificates } from './support/certificates.ts';
import { requestText, serveEcho, upgradeLine } from './support/servers.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await createCertificates();
});
afterAll(() => certificates[Symbol.asyncDispose]());

/** What stands between client and server. */
interface Way extends AsyncDisposable {
  readonly environment: Environment;
  /** How often it was asked for the target. */
  readonly count: () => number;
}

const credentials = { username: 'user', password: 'p@ss' };
const withCredentials = (port: number): Environment => ({ HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${port}` });

const WAYS: Readonly<Record<string, () => Promise<Way>>> = {
  direct: async () => ({ environment: {}, count: () => 1, [Symbol.asyncDispose]: async () => undefined }),
  CONNECT: async () => {
    const proxy = await startConnectProxy();
    return { ...proxy, environment: { HTTPS_PROXY: proxy.url }, count: () => proxy.requests.length };
  },
  'CONNECT with credentials': async () => {
    const proxy = await startConnectProxy({ credentials });
    return { ...proxy, environment: withCredentials(proxy.port), count: () => proxy.requests.length };
  },
  'CONNECT to an https proxy': async () => {
    const proxy = await startConnectProxy({ tls: certificates.valid });
    return { ...proxy, environment: { HTTPS_PROXY: proxy.url }, count: () => proxy.requests.length };
  },
  SOCKS5: async () => {
    const proxy = await startSocksProxy();
    return { ...proxy, environment: { ALL_PROXY: proxy.url }, count: () => proxy.requests.length };
  },
};

const TRANSPORTS = {
  'http request': { scheme: 'https', run: requestText, success: (port: number) => `GET / for 127.0.0.1:${port}` },
  'raw connection': { scheme: 'wss', run: upgradeLine, success: () => 'HTTP/1.1 101 Switching Protocols' },
} as const;

const cells = Object.keys(WAYS).flatMap((way) =>
  (['http request', 'raw connection'] as const).map((transport) => ({ way, transport })),
);

describe.each(cells)('$transport, $way', ({ way, transport }) => {
  const { scheme, run, success } = TRANSPORTS[transport];
  const dial = async (certificate: 'valid' | 'expired', authority: 'file' | 'otherFile') => {
    await using server = await serveEcho(certificates[certificate]);
    await using between = await (WAYS[way] as () => Promise<Way>)();
    const dialer = createDialer({
      environment: { ...between.environment, CODEX_CA_CERTIFICATE: certificates[authority] },
    });
    try {
      const result = await run(dialer, `${scheme}://127.0.0.1:${server.port}/`).catch((error: unknown) => error);
      return { result, expected: success(server.port), count: between.count() };
    } finally {
      dialer.close();
    }
  };

  test('a certificate of the private authority is trusted [TLS-01]', async () => {
    const { result, expected, count } = await dial('valid', 'file');
    expect([result, count]).toEqual([expected, 1]);
  });

  test('a certificate of another authority is a final error with the remedy [TLS-02]', async () => {
    const { result } = await dial('valid', 'otherFile');
    expect(result).toMatchObject({ name: 'NetworkError', code: 'tls', retryable: false });
    expect((result as Error).message).toMatch(
      /^the TLS certificate of (the proxy )?127\.0\.0\.1:\d+ is not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); if an organisation's own authority signed it, name its file in CODEX_CA_CERTIFICATE$/,
    );
  });

  test('an expired certificate is a final error that does not suggest another authority [TLS-02]', async () => {
    const { result } = await dial('expired', 'file');
    expect(result).toMatchObject({ code: 'tls', reason: 'CERT_HAS_EXPIRED', retryable: false });
    expect((result as Error).message).toMatch(
      /^the TLS certificate of 127\.0\.0\.1:\d+ is not trusted \(CERT_HAS_EXPIRED\); whoever runs it must renew or correct it$/,
    );
  });
});

test('inside a tunnel the certificate must be for the target, not for the proxy [TLS-03]', async () => {
  await using server = await serveEcho(certificates.valid);
  await using proxy = await startConnectProxy({ resolve: () => ({ host: '127.0.0.1', port: server.port }) });
  // The certificate is for localhost, where the proxy is, too.
  const environment = {
    HTTPS_PROXY: `http://localhost:${proxy.port}`,
    CODEX_CA_CERTIFICATE: certificates.file,
  };
  const dialer = createDialer({ environment });
  for (const host of ['provider.test', '127.0.0.2']) {
    const reason = 'ERR_TLS_CERT_ALTNAME_INVALID';
    await expect(upgradeLine(dialer, `wss://${host}/`)).rejects.toMatchObject({ code: 'tls', reason });
    await expect(requestText(dialer, `https://${host}/`)).rejects.toMatchObject({ code: 'tls', reason });
  }
  dialer.close();
});
