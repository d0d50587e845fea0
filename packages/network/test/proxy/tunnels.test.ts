import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { createDialer, type DialerLog, type Environment } from '@quire/network';
import { startConnectProxy, startSocksProxy } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { freePort, listen, requestText, serveEcho, serveRaw, upgradeLine } from '../support/servers.ts';

/** Both ways of using a dialer. */
const USES = [
  { title: 'http request', scheme: 'http', run: requestText },
  { title: 'raw connection', scheme: 'ws', run: upgradeLine },
] as const;

async function failure(run: typeof requestText, url: string, environment: Environment): Promise<unknown> {
  const dialer = createDialer({ environment });
  try {
    return await run(dialer, url).then(
      () => 'no failure',
      (error: unknown) => error,
    );
  } finally {
    dialer.close();
  }
}

describe('HTTP proxies', () => {
  test('a raw connection is a tunnel also for ws, a plain request goes in absolute form [PROXY-08]', async () => {
    await using server = await serveEcho();
    await using proxy = await startConnectProxy({ credentials: { username: 'user', password: '' } });
    const records: DialerLog[] = [];
    const environment = { http_proxy: `http://user@127.0.0.1:${proxy.port}` };
    const dialer = createDialer({ environment, log: (record) => records.push(record) });
    const target = `127.0.0.1:${server.port}`;
    expect(await requestText(dialer, `http://${target}/x?y`)).toBe(`GET /x?y for ${target}`);
    expect(await upgradeLine(dialer, `ws://${target}/`)).toBe('HTTP/1.1 101 Switching Protocols');
    dialer.close();
    const authorization = `Basic ${Buffer.from('user:').toString('base64')}`;
    expect(proxy.requests).toEqual([
      { method: 'GET', target: `http://${target}/x?y`, authorization },
      { method: 'CONNECT', target, authorization },
    ]);
    const selected = { kind: 'proxy-selected', variable: 'http_proxy', proxy: `127.0.0.1:${proxy.port}`, target };
    expect(records).toEqual([selected, selected]);
  });

  test('one tunnel serves the requests of its origin one after the other [PROXY-08]', async () => {
    await using server = await serveEcho();
    await using proxy = await startSocksProxy();
    const dialer = createDialer({ environment: { ALL_PROXY: proxy.url } });
    for (let count = 0; count < 3; count += 1) await requestText(dialer, `http://127.0.0.1:${server.port}/`);
    expect([proxy.requests.length, server.sockets.size]).toEqual([1, 1]);
    dialer.close();
  });

  test('bytes of the target that come with the answer to CONNECT are not lost [PROXY-08]', async () => {
    await using proxy = await serveRaw((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Early\r\n'));
    });
    const dialer = createDialer({ environment: { http_proxy: `http://127.0.0.1:${proxy.port}` } });
    expect(await upgradeLine(dialer, 'ws://provider.test/')).toBe('HTTP/1.1 101 Early');
  });

  test.each(USES)('407 without credentials asks for them: $title [PROXY-03]', async ({ scheme, run }) => {
    await using proxy = await startConnectProxy({ credentials: { username: 'user', password: 'word' } });
    expect(await failure(run, `${scheme}://provider.test/`, { ALL_PROXY: proxy.url })).toMatchObject({
      code: 'proxy',
      status: 407,
      retryable: false,
      host: 'provider.test',
      port: 80,
      proxy: `127.0.0.1:${proxy.port}`,
      message: `the proxy 127.0.0.1:${proxy.port} wants credentials (407); put them into the proxy URL: http://user:password@host:port`,
    });
  });

  test.each(USES)(
    '407 with credentials names their variable and not them: $title [PROXY-03]',
    async ({ scheme, run }) => {
      await using proxy = await startConnectProxy({ credentials: { username: 'user', password: 'word' } });
      const environment = { ALL_PROXY: `http://user:wrong-secret@127.0.0.1:${proxy.port}` };
      expect(await failure(run, `${scheme}://provider.test/`, environment)).toMatchObject({
        code: 'proxy',
        status: 407,
        message: `the proxy 127.0.0.1:${proxy.port} does not accept the credentials of ALL_PROXY (407); correct them there`,
      });
    },
  );

  test.each([
    [403, false],
    [502, true],
    [302, false],
  ])('CONNECT refused with %i is told with its status [PROXY-03]', async (status, retryable) => {
    await using proxy = await startConnectProxy({ refuseWith: status });
    expect(await failure(upgradeLine, 'ws://provider.test/', { HTTP_PROXY: proxy.url })).toMatchObject({
      code: 'proxy',
      status,
      retryable,
      message: `the proxy 127.0.0.1:${proxy.port} refused a connection to provider.test:80 (status ${status}); check HTTP_PROXY and NO_PROXY`,
    });
  });

  test('a proxy that does not speak HTTP, or TLS where it should, is a proxy error [PROXY-03]', async () => {
    await using mail = await serveRaw((socket) => socket.end('220 mail ready\r\n'));
    const name = `the proxy 127.0.0.1:${mail.port}`;
    const plain = await failure(upgradeLine, 'ws://provider.test/', { HTTP_PROXY: `http://127.0.0.1:${mail.port}` });
    const message = `cannot use ${name} (HPE_INVALID_CONSTANT); check HTTP_PROXY, HTTPS_PROXY and NO_PROXY`;
    expect(plain).toMatchObject({ code: 'proxy', message });
    for (const { scheme, run } of USES) {
      const secure = await failure(run, `${scheme}://h/`, { HTTP_PROXY: `https://127.0.0.1:${mail.port}` });
      expect(secure).toMatchObject({ code: 'tls', retryable: false, proxy: `127.0.0.1:${mail.port}` });
      expect((secure as Error).message).toMatch(/^no TLS connection to the proxy .*; check that it is an https proxy$/);
    }
  });
});

const SOCKS_SCHEMES = ['socks4a', 'socks5', 'socks5h'] as const;

describe('SOCKS proxies', () => {
  test.each([
    ['socks5h', 'provider.test', { version: 5, kind: 'name', host: 'provider.test' }],
    ['socks', 'provider.test', { version: 5, kind: 'name', host: 'provider.test' }],
    ['socks4a', 'provider.test', { version: 4, kind: 'name', host: 'provider.test' }],
    ['socks5h', '127.0.0.9', { version: 5, kind: 'ipv4', host: '127.0.0.9' }],
    ['socks4a', '127.0.0.9', { version: 4, kind: 'ipv4', host: '127.0.0.9' }],
    ['socks4', 'localhost', { version: 4, kind: 'ipv4', host: '127.0.0.1' }],
    ['socks5h', '[fd00:0:0:12::5]', { version: 5, kind: 'ipv6', host: 'fd00:0:0:12:0:0:0:5' }],
    ['socks5h', '[::ffff:1.2.3.4]', { version: 5, kind: 'ipv6', host: '0:0:0:0:0:ffff:102:304' }],
  ])('%s asks for %s in the right form [PROXY-09]', async (scheme, host, expected) => {
    await using server = await serveEcho();
    await using proxy = await startSocksProxy({ resolve: () => ({ host: '127.0.0.1', port: server.port }) });
    const dialer = createDialer({ environment: { ALL_PROXY: `${scheme}://127.0.0.1:${proxy.port}` } });
    const { hostname } = new URL(`http://${host}`);
    expect(await requestText(dialer, `http://${host}:8080/`)).toBe(`GET / for ${hostname}:8080`);
    expect(await upgradeLine(dialer, `ws://${host}:8080/`)).toBe('HTTP/1.1 101 Switching Protocols');
    dialer.close();
    const request = { ...expected, port: 8080, username: undefined };
    expect(proxy.requests).toEqual([request, request]);
  });

  test('socks5 resolves names here [PROXY-09]', async () => {
    await using server = await serveEcho();
    await using proxy = await startSocksProxy({ resolve: () => ({ host: '127.0.0.1', port: server.port }) });
    const dialer = createDialer({ environment: { ALL_PROXY: `socks5://127.0.0.1:${proxy.port}` } });
    await upgradeLine(dialer, 'ws://localhost/');
    expect(proxy.requests[0]?.kind).toMatch(/^ipv[46]$/);
    await expect(upgradeLine(dialer, 'ws://nonexistent.invalid/')).rejects.toMatchObject({ code: 'dns' });
    expect(proxy.requests).toHaveLength(1);
  });

  test('user and password are sent to a SOCKS5 proxy that asks for them [PROXY-09]', async () => {
    await using server = await serveEcho();
    await using proxy = await startSocksProxy({ credentials: { username: 'us er', password: 'w\u00f6rd' } });
    const environment = { ALL_PROXY: `socks5h://us%20er:w%C3%B6rd@127.0.0.1:${proxy.port}` };
    const dialer = createDialer({ environment });
    expect(await upgradeLine(dialer, `ws://127.0.0.1:${server.port}/`)).toBe('HTTP/1.1 101 Switching Protocols');
    expect(proxy.requests[0]?.username).toBe('us er');
  });

  test('answers that arrive byte by byte are understood, and bytes of the target after them kept [PROXY-09]', async () => {
    const answer = [5, 0, 5, 0, 0, 3, 4, 0x68, 0x6f, 0x73, 0x74, 0, 80, ...Buffer.from('HTTP/1.1 101 Early\r\n')];
    await using proxy = await serveRaw((socket: Socket) => {
      const next = (index: number): void => {
        if (index < answer.length) socket.write(Buffer.from([answer[index] ?? 0]), () => setImmediate(next, index + 1));
      };
      socket.once('data', () => next(/* index */ 0));
    });
    const dialer = createDialer({ environment: { ALL_PROXY: `socks5h://127.0.0.1:${proxy.port}` } });
    expect(await upgradeLine(dialer, 'ws://provider.test/')).toBe('HTTP/1.1 101 Early');
  });

  test.each<[string, number, string, boolean]>([
    ['socks5h', 2, 'it does not allow it by its rules (SOCKS5 code 2)', false],
    ['socks5h', 4, 'it cannot reach the host (SOCKS5 code 4)', true],
    ['socks5h', 5, 'it found the connection refused (SOCKS5 code 5)', true],
    ['socks5h', 77, 'it failed (SOCKS5 code 77)', true],
  ])('%s refusal %i is told with its code [PROXY-03]', async (scheme, code, what, retryable) => {
    await using proxy = await startSocksProxy({ refuseWith: code });
    for (const { scheme: target, run } of USES) {
      const environment = { ALL_PROXY: `${scheme}://127.0.0.1:${proxy.port}` };
      expect(await failure(run, `${target}://provider.test/`, environment)).toMatchObject({
        code: 'proxy',
        status: code,
        retryable,
        message: `the proxy 127.0.0.1:${proxy.port} refused a connection to provider.test:80: ${what}; check ALL_PROXY and NO_PROXY`,
      });
    }
  });

  test('SOCKS4 refusals and its lack of IPv6 are told [PROXY-03]', async () => {
    await using proxy = await startSocksProxy({ refuseWith: 91 });
    const environment = { ALL_PROXY: `socks4a://127.0.0.1:${proxy.port}` };
    const name = `the proxy 127.0.0.1:${proxy.port}`;
    expect(await failure(upgradeLine, 'ws://provider.test/', environment)).toMatchObject({
      status: 91,
      message: `${name} refused a connection to provider.test:80 (SOCKS4 code 91); check ALL_PROXY and NO_PROXY`,
    });
    expect(await failure(upgradeLine, 'ws://[::1]/', environment)).toMatchObject({
      code: 'proxy',
      message: `${name} speaks SOCKS4, which has no IPv6 addresses`,
    });
  });

  test.each([
    ['', 'wants credentials (255); put them into the proxy URL: socks5h://user:password@host:port'],
    ['user:wrong@', 'does not accept the credentials of ALL_PROXY (1); correct them there'],
  ])('credentials %j that a SOCKS5 proxy does not accept are a proxy error [PROXY-03]', async (userInfo, what) => {
    await using proxy = await startSocksProxy({ credentials: { username: 'user', password: 'word' } });
    const environment = { ALL_PROXY: `socks5h://${userInfo}127.0.0.1:${proxy.port}` };
    const message = `the proxy 127.0.0.1:${proxy.port} ${what}`;
    expect(await failure(upgradeLine, 'ws://provider.test/', environment)).toMatchObject({ code: 'proxy', message });
  });

  test.each(SOCKS_SCHEMES)(
    'a %s proxy that is something else, or hangs up, is a proxy error [PROXY-03]',
    async (scheme) => {
      const variants: [(socket: Socket) => void, RegExp][] = [
        [(socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), /does not speak socks\w+; check ALL_PROXY$/],
        [(socket) => socket.end(), /^cannot use the proxy .* \((ECONNRESET|EPIPE)\)/],
        [(socket) => socket.resetAndDestroy(), /^cannot use the proxy .* \((ECONNRESET|EPIPE)\)/],
      ];
      for (const [onData, message] of variants) {
        await using proxy = await serveRaw((socket) => socket.once('data', () => onData(socket)));
        const environment = { ALL_PROXY: `${scheme}://127.0.0.1:${proxy.port}` };
        const error = await failure(upgradeLine, 'ws://127.0.0.1/', environment);
        expect(error).toMatchObject({ code: 'proxy' });
        expect((error as Error).message).toMatch(message);
      }
    },
  );
});

const KINDS = ['http', 'socks5h', 'socks4a'];

describe('proxies that do not help', () => {
  test.each(KINDS)('an %s proxy that is not there is a proxy error [PROXY-03]', async (scheme) => {
    const port = await freePort();
    for (const { scheme: target, run } of USES) {
      expect(await failure(run, `${target}://h/`, { ALL_PROXY: `${scheme}://127.0.0.1:${port}` })).toMatchObject({
        code: 'proxy',
        retryable: true,
        reason: 'ECONNREFUSED',
        message: `cannot use the proxy 127.0.0.1:${port} (ECONNREFUSED); check HTTP_PROXY, HTTPS_PROXY and NO_PROXY`,
      });
    }
  });

  test.each(KINDS)('a silent %s proxy is given up in time, and its socket closed [PROXY-04]', async (scheme) => {
    await using proxy = await serveRaw((socket) => socket.resume());
    const dialer = createDialer({ environment: { ALL_PROXY: `${scheme}://127.0.0.1:${proxy.port}` } });
    const { signal } = new AbortController();
    const connecting = dialer.connect(new URL('wss://h/'), { signal, timeoutMs: 1_000 });
    const message = `the proxy 127.0.0.1:${proxy.port} does not answer`;
    await expect(connecting).rejects.toMatchObject({ code: 'proxy', retryable: true, message });
    while (proxy.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test.each(KINDS)(
    'an abort while a %s proxy is silent rejects with its reason and closes the socket [PROXY-04]',
    async (scheme) => {
      await using proxy = await serveRaw((socket) => socket.resume());
      const dialer = createDialer({ environment: { ALL_PROXY: `${scheme}://127.0.0.1:${proxy.port}` } });
      const controller = new AbortController();
      const options = { signal: controller.signal, timeoutMs: 10_000 };
      const connecting = dialer.connect(new URL('wss://h/'), options);
      const outcome = expect(connecting).rejects.toThrow('enough');
      while (proxy.sockets.size === 0) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(new Error('enough'));
      await outcome;
      while (proxy.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
    },
  );
});

test('the proxy never sees more of a tunnelled request than host and port [PROXY-08]', async () => {
  const seen: string[] = [];
  await using proxy = await listen(
    createHttpServer().on('connect', (request, socket) => {
      seen.push(JSON.stringify([request.method, request.url, request.headers]));
      socket.end('HTTP/1.1 403 No\r\n\r\n');
    }),
  );
  await failure(upgradeLine, 'ws://user:secret@h/path?key=secret', { ALL_PROXY: `http://127.0.0.1:${proxy.port}` });
  expect(seen).toEqual(['["CONNECT","h:80",{"host":"h:80","connection":"keep-alive"}]']);
});
