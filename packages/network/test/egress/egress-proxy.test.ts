import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { openEgressProxy } from '@quire/network';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let origin: ReturnType<typeof createServer>;
let echo: Server;
const seen: IncomingMessage['headers'][] = [];
const originPort = (): number => (origin.address() as AddressInfo).port;
const echoPort = (): number => (echo.address() as AddressInfo).port;

beforeAll(async () => {
  origin = createServer((message, response) => {
    seen.push(message.headers);
    response.end(`${message.method} ${message.url}`);
  }).listen(0, '127.0.0.1');
  echo = createTcpServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await Promise.all([once(origin, 'listening'), once(echo, 'listening')]);
});
afterAll(async () => {
  origin.closeAllConnections();
  await Promise.all([origin, echo].map((server) => new Promise((resolve) => server.close(resolve))));
});

const toLoopback = async () => [{ address: '127.0.0.1', family: 4 }];

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(
  port: number,
  options: { readonly method?: string; readonly path: string; readonly headers?: Record<string, string> },
): Promise<Answer> {
  const client = request({ host: '127.0.0.1', port, agent: false, ...options }).end();
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

/** Sends a request for a tunnel and gives back the first bytes of the answer, with the socket for what follows. */
async function openTunnel(
  where: { readonly port: number } | { readonly path: string },
  authority: string,
): Promise<{ readonly line: string; readonly socket: Socket }> {
  const socket = connect('port' in where ? { host: '127.0.0.1', port: where.port } : where);
  await once(socket, 'connect');
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return { line: chunk.toString('latin1').split('\r\n')[0] ?? '', socket };
}

describe('an egress proxy', () => {
  test('carries tunnels to hosts that are listed, on its port and on its socket [SBX-20]', async () => {
    const proxy = await openEgressProxy({ allowedHosts: ['named.test'], resolve: toLoopback });
    try {
      for (const where of [{ port: proxy.port }, { path: proxy.socketPath }]) {
        const { line, socket } = await openTunnel(where, `named.test:${echoPort()}`);
        expect(line).toBe('HTTP/1.1 200 Connection Established');
        socket.write('ping');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        expect(answer.toString()).toBe('ping');
        socket.destroy();
      }
      expect(statSync(dirname(proxy.socketPath)).mode & 0o777).toBe(0o700);
    } finally {
      await proxy.close();
      await proxy.close();
    }
    expect(existsSync(dirname(proxy.socketPath))).toBe(false);
  });

  test('refuses what is not listed, odd names, addresses, and names that lead inside [SBX-21]', async () => {
    const proxy = await openEgressProxy({
      allowedHosts: ['*.below.test', 'one.test:443'],
      resolve: toLoopback,
    });
    try {
      const answers: Record<string, string> = {};
      const targets = [
        'other.test:443',
        'below.test:443',
        'evilbelow.test:443',
        'one.test:80',
        'a.below.test:443',
        '127.0.0.1:443',
        '[::1]:443',
        '0x7f000001:443',
        '2130706433:443',
        '127.1:443',
        'a%00.below.test:443',
        'x@a.below.test:443',
        'a.below.test',
        'a.below.test:0',
        'a.below.test:99999',
        `${'a'.repeat(64)}.below.test:443`,
      ];
      for (const target of targets) {
        const { line, socket } = await openTunnel({ port: proxy.port }, target);
        answers[target] = line.split(' ')[1] ?? '';
        socket.destroy();
      }
      expect(answers).toEqual({
        'other.test:443': '403',
        'below.test:443': '403',
        'evilbelow.test:443': '403',
        'one.test:80': '403',
        'a.below.test:443': '403',
        '127.0.0.1:443': '403',
        '[::1]:443': '403',
        '0x7f000001:443': '400',
        '2130706433:443': '400',
        '127.1:443': '400',
        'a%00.below.test:443': '400',
        'x@a.below.test:443': '400',
        'a.below.test': '400',
        'a.below.test:0': '400',
        'a.below.test:99999': '400',
        [`${'a'.repeat(64)}.below.test:443`]: '400',
      });
    } finally {
      await proxy.close();
    }
  });

  test('forwards plain requests with the path only and without what is about one connection [SBX-22]', async () => {
    const proxy = await openEgressProxy({ allowedHosts: ['named.test'], resolve: toLoopback });
    try {
      const host = `named.test:${originPort()}`;
      const headers = { 'proxy-authorization': 'secret', connection: 'x-hop', 'x-hop': '1', 'x-kept': '2' };
      expect(await ask(proxy.port, { path: `http://${host}/a?b=c`, headers })).toEqual({
        status: 200,
        body: 'GET /a?b=c',
      });
      const got = seen.at(-1) ?? {};
      expect([got.host, got['proxy-authorization'], got['x-hop'], got['x-kept']]).toEqual([
        host,
        undefined,
        undefined,
        '2',
      ]);
      const refused = [
        `http://127.0.0.1:${originPort()}/`,
        'http://localhost/',
        'http://x@named.test/',
        '/',
        'ftp://named.test/',
      ];
      const statuses = [];
      for (const path of refused) statuses.push((await ask(proxy.port, { path })).status);
      expect(statuses).toEqual([403, 403, 400, 400, 400]);
    } finally {
      await proxy.close();
    }
  });

  test('says when a host is not found or does not answer [SBX-23]', async () => {
    const proxy = await openEgressProxy({
      allowedHosts: ['gone.test', 'closed.test'],
      resolve: async (host) => (host === 'gone.test' ? Promise.reject(new Error('ENOTFOUND')) : toLoopback()),
    });
    try {
      const spare = createTcpServer().listen(0, '127.0.0.1');
      await once(spare, 'listening');
      const { port } = spare.address() as AddressInfo;
      await new Promise((resolve) => spare.close(resolve));
      for (const target of ['gone.test:443', `closed.test:${port}`]) {
        const { line, socket } = await openTunnel({ port: proxy.port }, target);
        expect(line, target).toBe('HTTP/1.1 502 Bad Gateway');
        socket.destroy();
      }
      expect((await ask(proxy.port, { path: `http://closed.test:${port}/` })).status).toBe(502);
    } finally {
      await proxy.close();
    }
  });
});
