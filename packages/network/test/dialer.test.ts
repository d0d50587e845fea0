import { Agent } from 'node:http';
import { Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import { createDialer, NetworkError, toNetworkError } from '@quire/network';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StageTimer } from '../src/connect/stage-timer.ts';
import { networkFailure } from '../src/failure.ts';
import { TCP_TIMEOUT_MS, TLS_TIMEOUT_MS } from '../src/limits.ts';
import { boundConnects } from '../src/route/bound-connects.ts';
import { parseTarget } from '../src/target.ts';
import { authorities } from '../src/trust/load-trust.ts';
import { freePort, requestText, serveEcho, serveRaw, upgradeLine } from './support/servers.ts';

const signal = new AbortController().signal;

describe('routes', () => {
  test('requests to one origin share a socket, which sends small packets at once [DIAL-01]', async () => {
    await using server = await serveEcho();
    const dialer = createDialer({ environment: {} });
    const url = `http://127.0.0.1:${server.port}/`;
    for (let count = 0; count < 3; count += 1) expect(await requestText(dialer, url)).toContain('GET /');
    const { agent } = await dialer.route(new URL(url));
    expect([server.sockets.size, await dialer.route(new URL('/other', url))]).toEqual([
      1,
      await dialer.route(new URL(url)),
    ]);
    // Node's types leave `options` out; it is documented as what sockets are made with.
    expect((agent as unknown as { readonly options: object }).options).toMatchObject({
      noDelay: true,
      keepAlive: true,
      autoSelectFamily: true,
    });
    dialer.close();
  });

  test('closing destroys pooled sockets, ends what is being connected, and refuses what comes after [DIAL-02]', async () => {
    await using server = await serveEcho();
    await using silent = await serveRaw((socket) => socket.resume());
    const dialer = createDialer({ environment: {} });
    await requestText(dialer, `http://127.0.0.1:${server.port}/`);
    const connecting = dialer.connect(new URL(`wss://127.0.0.1:${silent.port}/`), { signal, timeoutMs: 10_000 });
    const ended = expect(connecting).rejects.toMatchObject({ code: 'tcp', retryable: false });
    while (silent.sockets.size === 0) await new Promise((resolve) => setImmediate(resolve));
    dialer.close();
    dialer.close();
    await ended;
    const after = { code: 'tcp', message: 'the connection was given up: the dialer is closed' };
    await expect(dialer.route(new URL('http://h'))).rejects.toMatchObject(after);
    await expect(upgradeLine(dialer, 'ws://h')).rejects.toMatchObject(after);
    while (server.sockets.size + silent.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('a URL that leads nowhere is a configuration error [DIAL-03]', async () => {
    const dialer = createDialer({ environment: {} });
    for (const url of ['ftp://h', 'http://a,b', 'file:///x']) {
      await expect(dialer.route(new URL(url))).rejects.toMatchObject({ code: 'configuration' });
      await expect(upgradeLine(dialer, url)).rejects.toMatchObject({ code: 'configuration' });
    }
  });

  test('an aborted signal is the reason, also before anything is opened [DIAL-04]', async () => {
    const dialer = createDialer({ environment: {} });
    const options = { signal: AbortSignal.abort(new Error('enough')), timeoutMs: 1 };
    await expect(dialer.connect(new URL('ws://h'), options)).rejects.toThrow('enough');
  });
});

test('whoever waits for a route leaves when the signal fires, and the route is there for the next one [DIAL-04]', async () => {
  const dialer = createDialer({ environment: {} });
  const url = new URL('https://h');
  const early = { signal: AbortSignal.abort(new Error('before')) };
  await expect(dialer.route(url, early)).rejects.toThrow('before');
  const controller = new AbortController();
  const waiting = dialer.route(url, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(await dialer.route(url, { signal: new AbortController().signal })).toBe(await dialer.route(url));
  dialer.close();
});

describe('failures', () => {
  test('a refused connection names host and port [DIAL-05]', async () => {
    const port = await freePort();
    const dialer = createDialer({ environment: {} });
    for (const [run, scheme] of [
      [requestText, 'http'],
      [requestText, 'https'],
      [upgradeLine, 'ws'],
      [upgradeLine, 'wss'],
    ] as const) {
      await expect(run(dialer, `${scheme}://127.0.0.1:${port}/`)).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'tcp',
        host: '127.0.0.1',
        port,
        proxy: undefined,
        retryable: true,
        reason: 'ECONNREFUSED',
        message: `nothing accepts connections at 127.0.0.1:${port} (ECONNREFUSED)`,
      });
    }
  });

  test('TLS toward a server without it is a final error [DIAL-05]', async () => {
    await using server = await serveEcho();
    const dialer = createDialer({ environment: {} });
    for (const [run, scheme] of [
      [requestText, 'https'],
      [upgradeLine, 'wss'],
    ] as const) {
      const error = await run(dialer, `${scheme}://127.0.0.1:${server.port}/`).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'tls', retryable: false });
      expect((error as Error).message).toMatch(/^no TLS connection to .*; check that it serves https and not http$/);
    }
  });

  test.each<[string, NetworkError['code'], boolean]>([
    ['ENOTFOUND', 'dns', true],
    ['EAI_AGAIN', 'dns', true],
    ['ECONNRESET', 'tcp', true],
    ['EHOSTUNREACH', 'tcp', true],
    ['HPE_INVALID_CONSTANT', 'tcp', true],
    ['ETIMEDOUT', 'timeout', true],
    ['EPROTO', 'tls', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls', false],
  ])('%s is a %s failure [DIAL-05]', (code, kind, retryable) => {
    const cause = Object.assign(new Error('of the system'), { code });
    const error = toNetworkError(cause, new URL('https://h'));
    expect(error).toMatchObject({ code: kind, retryable, reason: code, host: 'h', port: 443, cause });
  });

  test('of several tried addresses the first one tells the reason [DIAL-05]', () => {
    const refused = Object.assign(new Error('first'), { code: 'ECONNREFUSED' });
    const unreachable = Object.assign(new Error('second'), { code: 'ENETUNREACH' });
    const place = { target: parseTarget(new URL('http://h')), proxy: undefined, atProxy: false };
    expect(networkFailure(new AggregateError([refused, unreachable]), place).reason).toBe('ECONNREFUSED');
  });
});

describe('time limits', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const target = parseTarget(new URL('https://provider.test'));

  /** The error of a pooled socket for which nothing happens after `events`. */
  function silentSocket(
    events: readonly string[],
    place: { readonly proxy: string | undefined; readonly atProxy: boolean },
  ) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const socket = new Socket();
    class StillAgent extends Agent {
      override createConnection(..._parameters: Parameters<Agent['createConnection']>) {
        return socket;
      }
    }
    const agent = boundConnects(new StillAgent(), { place: { target, ...place }, tls: true });
    agent.createConnection({}, () => undefined);
    const failed = new Promise((resolve) => socket.once('error', resolve));
    for (const event of events) socket.emit(event);
    return { socket, failed };
  }

  test('a network that swallows packets is known after the TCP limit, apart from any other wait [DIAL-06]', async () => {
    const { socket, failed } = silentSocket([], { proxy: undefined, atProxy: false });
    vi.advanceTimersByTime(TCP_TIMEOUT_MS - 1);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    const message = 'provider.test:443 can not be reached: no connection within 15000 ms';
    expect(await failed).toMatchObject({ code: 'timeout', retryable: true, message });
  });

  test('a TLS handshake that does not end is given up, at the proxy as a proxy error [DIAL-06]', async () => {
    const direct = silentSocket(['connect'], { proxy: undefined, atProxy: false });
    vi.advanceTimersByTime(TLS_TIMEOUT_MS);
    const what = 'did not finish the TLS handshake within 15000 ms';
    expect(await direct.failed).toMatchObject({ code: 'timeout', message: `provider.test:443 ${what}` });
    const proxied = silentSocket(['connect'], { proxy: 'p:1', atProxy: true });
    vi.advanceTimersByTime(TLS_TIMEOUT_MS);
    expect(await proxied.failed).toMatchObject({ code: 'proxy', message: `the proxy p:1 ${what}` });
  });

  test('a connection that is made has no limit any more [DIAL-06]', () => {
    const { socket } = silentSocket(['connect', 'secureConnect'], { proxy: undefined, atProxy: false });
    expect(vi.getTimerCount()).toBe(0);
    socket.destroy();
  });

  test('stages have limits of their own within that of the whole, and leave no timer [DIAL-06]', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stage = (name: string, limitMs: number) => ({
      limitMs,
      onTimeout: (ms: number) => new NetworkError('timeout', `${name} ${ms}`, { host: 'h', port: 1, retryable: true }),
    });
    const caller = new AbortController();
    const run = (elapse: (timer: StageTimer) => void): unknown => {
      using timer = new StageTimer({ signal: caller.signal, timeoutMs: 100, first: stage('first', /* limitMs */ 60) });
      elapse(timer);
      return timer.signal.reason;
    };
    expect(run(() => vi.advanceTimersByTime(60))).toMatchObject({ message: 'first 60' });
    expect(
      run((timer) => {
        vi.advanceTimersByTime(50);
        timer.enter(stage('second', /* limitMs */ 60));
        vi.advanceTimersByTime(50);
      }),
    ).toMatchObject({ message: 'second 100' });
    expect(run((timer) => timer.enter(stage('second', /* limitMs */ 60)))).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a raw connection is bounded as a whole [DIAL-06]', async () => {
    await using silent = await serveRaw((socket) => socket.resume());
    const dialer = createDialer({ environment: {} });
    const url = new URL(`wss://127.0.0.1:${silent.port}`);
    await expect(dialer.connect(url, { signal, timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'timeout',
      message: `127.0.0.1:${silent.port} did not finish the TLS handshake within 1000 ms`,
    });
    while (silent.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

test('the roots of the platform stay in front of what a bundle adds, and nothing is listed twice [TRUST-02]', async () => {
  const known = Buffer.from((rootCertificates[3] ?? '').replace(/-----[^-]+-----/g, ''), 'base64');
  const list = await authorities([Buffer.from('new one'), known], {});
  expect(list.slice(0, -1)).toEqual([...rootCertificates]);
  expect(list.at(-1)).toBe('-----BEGIN CERTIFICATE-----\nbmV3IG9uZQ==\n-----END CERTIFICATE-----\n');
});
