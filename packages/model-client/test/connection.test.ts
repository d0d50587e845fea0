import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createDialer } from '@quire/network';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpPost, HttpTransport } from '../src/http/transport.ts';
import {
  answer,
  bodyEvents,
  CREATED,
  completed,
  connect,
  recordingClock,
  run,
  runToFailure,
  serve,
} from './support.ts';

const ok = answer(CREATED, completed());

let folder: string;
let certificate: { readonly key: string; readonly cert: string };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quire-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  certificate = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
});
afterAll(() => rmSync(folder, { recursive: true }));

const serveTls = async () => {
  const server = await serve(ok, (listener) => createHttpsServer(certificate, listener) as unknown as Server);
  return { server, url: `https://127.0.0.1:${server.port}` };
};

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('connection failures', () => {
  test('a refused connection names host and port, and is repeated [CONNECT-01] [RETRY-01]', async () => {
    const port = await freePort();
    const clock = recordingClock();
    using client = connect(`http://127.0.0.1:${port}`, { clock, with: { requestMaxRetries: 2 } });
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, error.message]).toEqual([
      'connection-failed',
      true,
      `nothing accepts connections at 127.0.0.1:${port} (ECONNREFUSED); check base_url`,
    ]);
    expect(error.cause).toBeInstanceOf(Error);
    expect(clock.delaysMs).toEqual([200, 400]);
  });

  test('a host name that does not exist is a DNS error [CONNECT-02]', async () => {
    using client = connect('http://nonexistent.invalid');
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable]).toEqual(['dns', true]);
    expect(error.message).toMatch(
      /^cannot resolve the host name of nonexistent\.invalid:80 \((ENOTFOUND|EAI_AGAIN)\); check base_url and the network$/,
    );
  });

  test('a reset before the answer is a connection error [CONNECT-03]', async () => {
    await using server = await serve((response) => response.socket?.resetAndDestroy());
    using client = connect(server.url);
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, error.message]).toEqual([
      'connection-failed',
      true,
      `127.0.0.1:${server.port} closed the connection before it answered (ECONNRESET)`,
    ]);
    expect(server.requests).toHaveLength(1);
  });

  test('a server that does not speak HTTP is named [CONNECT-03]', async () => {
    await using server = await serve((response) => response.socket?.end('220 mail ready\r\n'));
    using client = connect(server.url);
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.message]).toEqual([
      'connection-failed',
      `127.0.0.1:${server.port} does not answer in HTTP (HPE_INVALID_CONSTANT); check base_url`,
    ]);
  });

  test('a certificate that is not trusted is a final TLS error with the remedy [CONNECT-04]', async () => {
    const { server, url } = await serveTls();
    await using _server = server;
    using client = connect(url, { with: { requestMaxRetries: 4 } });
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, error.message]).toEqual([
      'tls',
      false,
      `the TLS certificate of 127.0.0.1:${server.port} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); if an organisation's own authority signed it, name its file in CODEX_CA_CERTIFICATE`,
    ]);
    expect(server.requests).toEqual([]);
  });

  test('https toward a plain http server is a final TLS error [CONNECT-04]', async () => {
    await using server = await serve(ok);
    using client = connect(`https://127.0.0.1:${server.port}`);
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable]).toEqual(['tls', false]);
    expect(error.message).toContain('check that it serves https and not http');
  });

  test('no message of a failed connection holds the key [ERROR-09]', async () => {
    await using server = await serve((response, request) =>
      response.writeHead(404).end(`you sent ${request.headers.authorization}`),
    );
    using client = connect(`http://user:password-1@127.0.0.1:${server.port}`, {
      with: { queryParams: { token: 'query-secret' } },
    });
    const { error } = await runToFailure(client.turn);
    expect(error.message).toBe(
      `unexpected status 404 Not Found: you sent Bearer [hidden], url: http://127.0.0.1:${server.port}/responses?token=[hidden]`,
    );
  });
});

test('a pooled socket that the server closed is replaced at once, without counting as a retry [CONNECT-05]', async () => {
  await using server = await serve((response, request, index) => {
    // The second request on the first socket meets a reset; on a fresh socket it is answered.
    if (index === 1) response.socket?.resetAndDestroy();
    else ok(response, request, index);
  });
  const clock = recordingClock();
  using client = connect(server.url, { clock });
  await run(client.turn);
  await new Promise((resolve) => setImmediate(resolve));
  expect(bodyEvents(await run(client.turn)).at(-1)?.kind).toBe('response-end');
  expect([server.requests.length, server.sockets.length, clock.delaysMs]).toEqual([3, 2, []]);
});

test('a fresh socket that is reset too is an ordinary failure [CONNECT-05]', async () => {
  await using server = await serve((response, request, index) => {
    if (index >= 1) response.socket?.resetAndDestroy();
    else ok(response, request, index);
  });
  using client = connect(server.url);
  await run(client.turn);
  await new Promise((resolve) => setImmediate(resolve));
  expect((await runToFailure(client.turn)).error.code).toBe('connection-failed');
  expect(server.requests).toHaveLength(3);
});

describe('redirects', () => {
  test.each([307, 308])(
    '%i is followed with method, body and credentials on the same origin [CONNECT-06]',
    async (status) => {
      await using server = await serve((response, request, index) => {
        if (index === 0) response.writeHead(status, { location: '/other' }).end();
        else ok(response, request, index);
      });
      using client = connect(server.url);
      await run(client.turn);
      const [first, second] = server.requests;
      expect([second?.method, second?.path, second?.headers.authorization]).toEqual([
        'POST',
        '/other',
        'Bearer key-of-the-test',
      ]);
      expect(second?.body).toBe(first?.body);
    },
  );

  test('another origin gets no credentials [CONNECT-06]', async () => {
    await using target = await serve(ok);
    await using server = await serve((response) => response.writeHead(307, { location: `${target.url}/x` }).end());
    using client = connect(server.url, { with: { httpHeaders: { 'api-key': 'provider-secret' } } });
    await run(client.turn);
    const headers = target.requests[0]?.headers ?? {};
    expect([headers.authorization, headers['api-key'], headers['thread-id'] === undefined]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });

  test('redirects without end are given up after five [CONNECT-06]', async () => {
    await using server = await serve((response) => response.writeHead(307, { location: '/again' }).end());
    using client = connect(server.url, { with: { requestMaxRetries: 4 } });
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, server.requests.length]).toEqual(['connection-failed', false, 6]);
  });

  test('303 and a 307 without a location are statuses like others [CONNECT-06]', async () => {
    for (const [status, headers] of [
      [303, { location: '/x' }],
      [307, {}],
    ] as const) {
      await using server = await serve((response) => response.writeHead(status, headers).end());
      using client = connect(server.url);
      expect((await runToFailure(client.turn)).error.httpStatus).toBe(status);
    }
  });
});

interface TestProxy extends AsyncDisposable {
  readonly port: number;
  readonly connects: { readonly authority: string; readonly authorization: string | undefined }[];
}

/** A CONNECT proxy; `status` other than 200 refuses, 0 never answers. */
async function serveProxy(status = 200): Promise<TestProxy> {
  const connects: TestProxy['connects'][number][] = [];
  const open = new Set<Duplex>();
  const server = createHttpServer();
  server.on('connection', (socket) => open.add(socket));
  server.on('connect', (request, socket: Duplex) => {
    connects.push({ authority: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    if (status === 0) return;
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connectTcp(Number(port), host);
    open.add(upstream);
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    upstream.on('connect', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connects,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('proxies', () => {
  test('an http target is asked for in absolute form, with the credentials of the proxy [PROXY-01]', async () => {
    await using proxy = await serve(ok);
    using client = connect('http://provider.invalid/v1', {
      environment: { http_proxy: `user:p%40ss@127.0.0.1:${proxy.port}` },
    });
    await run(client.turn);
    const received = proxy.requests[0];
    expect([received?.path, received?.headers.host, received?.headers['proxy-authorization']]).toEqual([
      'http://provider.invalid/v1/responses',
      'provider.invalid',
      `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
    ]);
  });

  test('an https target is reached through a CONNECT tunnel with real TLS inside, one for all requests [PROXY-02]', async () => {
    const { server, url } = await serveTls();
    await using _server = server;
    await using proxy = await serveProxy();
    const bundle = join(folder, 'cert.pem');
    const proxyUrl = `http://user:pass@127.0.0.1:${proxy.port}`;
    const dialer = createDialer({ environment: { HTTPS_PROXY: proxyUrl, CODEX_CA_CERTIFICATE: bundle } });
    const transport = new HttpTransport(dialer);
    for (let count = 0; count < 2; count += 1) {
      const response = await transport.send(post(url));
      const chunks: Buffer[] = [];
      for await (const chunk of response.body) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toContain('response.completed');
    }
    transport.close();
    dialer.close();
    expect(server.requests.map(({ headers }) => headers['proxy-authorization'])).toEqual([undefined, undefined]);
    expect(proxy.connects).toEqual([
      { authority: `127.0.0.1:${server.port}`, authorization: `Basic ${Buffer.from('user:pass').toString('base64')}` },
    ]);
  });

  test('the certificate of the target is checked inside the tunnel [PROXY-02]', async () => {
    const { server, url } = await serveTls();
    await using _server = server;
    await using proxy = await serveProxy();
    using client = connect(url, { environment: { ALL_PROXY: `http://127.0.0.1:${proxy.port}` } });
    expect((await runToFailure(client.turn)).error.code).toBe('tls');
  });

  test.each<[number, boolean, string]>([
    [407, false, 'does not accept the credentials of https_proxy (407); correct them there'],
    [403, false, 'refused a connection to provider.invalid:443 (status 403); check https_proxy and NO_PROXY'],
    [502, true, 'refused a connection to provider.invalid:443 (status 502); check https_proxy and NO_PROXY'],
  ])('a tunnel refused with %i is a proxy error [PROXY-03]', async (status, retryable, message) => {
    await using proxy = await serveProxy(status);
    using client = connect('https://provider.invalid', {
      environment: { https_proxy: `http://user:pass-1@127.0.0.1:${proxy.port}` },
    });
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, error.message]).toEqual([
      'proxy',
      retryable,
      `the proxy 127.0.0.1:${proxy.port} ${message}`,
    ]);
  });

  test('a proxy that is not there is a proxy error, for both kinds of target [PROXY-03]', async () => {
    const port = await freePort();
    for (const url of ['http://provider.invalid', 'https://provider.invalid']) {
      using client = connect(url, { environment: { ALL_PROXY: `127.0.0.1:${port}` } });
      const { error } = await runToFailure(client.turn);
      expect([error.code, error.retryable, error.message]).toEqual([
        'proxy',
        true,
        `cannot use the proxy 127.0.0.1:${port} (ECONNREFUSED); check HTTP_PROXY, HTTPS_PROXY and NO_PROXY`,
      ]);
    }
  });

  test('aborting while the proxy is silent gives up its socket [PROXY-04]', async () => {
    await using proxy = await serveProxy(/* status */ 0);
    using client = connect('https://provider.invalid', {
      environment: { https_proxy: `http://127.0.0.1:${proxy.port}` },
    });
    const controller = new AbortController();
    const running = run(client.turn, /* request */ undefined, controller.signal);
    while (proxy.connects.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  test('a proxy that stays silent is given up after the idle time [PROXY-04]', async () => {
    await using proxy = await serveProxy(/* status */ 0);
    using client = connect('https://provider.invalid', {
      environment: { https_proxy: `http://127.0.0.1:${proxy.port}` },
      with: { streamIdleTimeoutMs: 1_000 },
    });
    const { error } = await runToFailure(client.turn);
    expect([error.code, error.retryable, error.message]).toEqual([
      'proxy',
      true,
      `the proxy 127.0.0.1:${proxy.port} does not answer`,
    ]);
  });

  test.each(['gopher://127.0.0.1:1', 'http://'])(
    '%s is refused as a proxy, by the name of its variable [PROXY-05]',
    async (value) => {
      using client = connect('http://provider.invalid', { environment: { ALL_PROXY: value } });
      const { error } = await runToFailure(client.turn);
      expect([error.code, error.retryable, error.message]).toEqual([
        'configuration',
        false,
        'ALL_PROXY is not the URL of a proxy; write it as http://host:port, https://host:port or socks5h://host:port',
      ]);
    },
  );
});

function post(url: string): HttpPost {
  return {
    url: new URL(url),
    headers: {},
    secretNames: new Set(),
    body: Buffer.from('{}'),
    signal: new AbortController().signal,
    headersTimeoutMs: 10_000,
  };
}
