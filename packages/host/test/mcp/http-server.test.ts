import { createDialer } from '@quire/network';
import { expect, test } from 'vitest';
import { eventually } from '../support/processes.ts';
import { HttpMcpServer } from './support/http-mcp-server.ts';
import { httpConfig, NEVER, openPool, settled } from './support/pool.ts';

const echo = (server: string) => ({ server, tool: 'echo', arguments: { a: 1 } });
const ECHOED = { kind: 'answered', content: [{ type: 'text', text: '{"a":1}' }] };

test('a server is reached over HTTP with the headers of its configuration and told goodbye [MCP-24]', async () => {
  await using server = await HttpMcpServer.start({
    requiredHeaders: { authorization: 'Bearer secret', 'x-fixed': 'f', 'x-env': 'e' },
  });
  await using t = await openPool({ environment: { TOKEN: 'secret', FROM_ENV: 'e' } });
  const lease = t.acquire(
    httpConfig('web', server.url, {
      bearerTokenEnvVar: 'TOKEN',
      httpHeaders: { 'x-fixed': 'f' },
      envHttpHeaders: { 'x-env': 'FROM_ENV', 'x-unset': 'UNSET' },
    }),
  );
  await settled(lease);
  expect(lease.tools.map(({ callName }) => callName)).toEqual(['mcp__web__echo']);
  expect(await lease.callTool(echo('web'), { signal: NEVER })).toMatchObject(ECHOED);
  expect(server.sessions.size).toBe(1);
  await lease.release();
  expect(server.sessions.size).toBe(0);
  expect(t.notices).toEqual([]);
});

test.each([
  [
    { bearerTokenEnvVar: 'NOT_SET' },
    'the environment variable NOT_SET is not set; see mcp_servers.web.bearer_token_env_var',
  ],
  [{ httpHeaders: { authorization: 'Bearer wrong' } }, 'MCP server web wants a login; run quire mcp login web'],
])('a server without its token is reported with the remedy [MCP-25]', async (parts, line) => {
  await using server = await HttpMcpServer.start({ oauth: true });
  await using t = await openPool();
  await settled(t.acquire(httpConfig('web', server.url, parts)));
  expect(t.notices).toEqual([expect.stringContaining(line)]);
});

test('an address where nothing is, and one that is none, are reported in one line [MCP-26]', async () => {
  const server = await HttpMcpServer.start();
  const { url } = server;
  await server[Symbol.asyncDispose]();
  await using t = await openPool();
  await settled(t.acquire(httpConfig('gone', url), httpConfig('odd', 'no address')));
  expect([...t.notices].sort()).toEqual([
    expect.stringMatching(/^MCP server gone can not be reached: .*127\.0\.0\.1/),
    'MCP server odd: mcp_servers.odd.url is no http or https address',
  ]);
});

test('requests go through the dialer, so that a proxy is asked for them [MCP-27]', async () => {
  await using server = await HttpMcpServer.start();
  const proxyUrl = 'http://127.0.0.1:9';
  const dialer = createDialer({ environment: { http_proxy: proxyUrl } });
  await using t = await openPool({ loadDialer: () => dialer });
  await settled(t.acquire(httpConfig('web', server.url)));
  dialer.close();
  expect(t.notices).toEqual([expect.stringContaining('127.0.0.1:9')]);
  expect(server.log).toEqual([]);
});

test('a server that forgot the session gets a new one, and the call is made again [MCP-28]', async () => {
  await using server = await HttpMcpServer.start();
  await using t = await openPool();
  const lease = t.acquire(httpConfig('web', server.url));
  await settled(lease);
  server.sessions.clear();
  expect(await lease.callTool(echo('web'), { signal: NEVER })).toMatchObject(ECHOED);
  expect(server.log.filter((entry) => entry === 'initialize')).toHaveLength(2);
});

test.each([
  [
    'answers with an endless body',
    (write: (text: string) => void) => {
      const part = 'x'.repeat(1024 * 1024);
      for (let count = 0; count < 18; count += 1) write(part);
    },
    'application/json',
  ],
  [
    'sends an endless event',
    (write: (text: string) => void) => {
      for (let count = 0; count < 18; count += 1) write(`data: ${'x'.repeat(1024 * 1024)}\n`);
    },
    'text/event-stream',
  ],
])('a server that %s ends the call, not the memory [MCP-29]', async (_, flood, type) => {
  await using server = await HttpMcpServer.start({
    onCall: (_message, response) => {
      response.writeHead(200, { 'content-type': type });
      flood((text) => response.write(text));
    },
  });
  await using t = await openPool();
  const lease = t.acquire(httpConfig('web', server.url));
  await settled(lease);
  expect(await lease.callTool(echo('web'), { signal: NEVER })).toEqual({
    kind: 'failed',
    reason: 'MCP server web sent a message of more than 16777216 bytes, so it was left',
  });
});

test('an answer that breaks off fails the call at once [MCP-39]', async () => {
  await using server = await HttpMcpServer.start({
    onCall: (_message, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': wait\n\n', () => response.destroy());
    },
  });
  await using t = await openPool();
  const lease = t.acquire(httpConfig('web', server.url));
  await settled(lease);
  expect(await lease.callTool(echo('web'), { signal: NEVER })).toEqual({
    kind: 'failed',
    reason: 'MCP server web broke off its answer',
  });
});

test('answers that come as events are read, and an aborted call lets go of them [MCP-30]', async () => {
  let ended = false;
  await using server = await HttpMcpServer.start({
    onCall: ({ id, params }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.on('close', () => {
        ended = true;
      });
      const result = { content: [{ type: 'text', text: JSON.stringify(params?.arguments) }] };
      const progress = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } };
      response.write(`data: ${JSON.stringify(progress)}\n\n`);
      if (params?.arguments?.['hang'] === undefined) {
        response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      }
    },
  });
  await using t = await openPool();
  const lease = t.acquire(httpConfig('web', server.url));
  await settled(lease);
  expect(await lease.callTool(echo('web'), { signal: NEVER })).toMatchObject(ECHOED);
  ended = false;
  const abort = new AbortController();
  const calling = lease.callTool({ ...echo('web'), arguments: { hang: true } }, { signal: abort.signal });
  expect(
    await eventually(() => server.log.filter((entry) => entry === 'tools/call').length === 2, { withinMs: 10_000 }),
  ).toBe(true);
  abort.abort(new Error('enough'));
  await expect(calling).rejects.toThrow('enough');
  expect(await eventually(() => server.log.includes('notifications/cancelled'), { withinMs: 10_000 })).toBe(true);
  await lease.release();
  expect(await eventually(() => ended, { withinMs: 10_000 })).toBe(true);
});
