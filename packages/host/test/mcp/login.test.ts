import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadMcpLogins, type McpLoginOptions } from '@quire/host';
import { createDialer } from '@quire/network';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { visit } from './support/browser.ts';
import { HttpMcpServer } from './support/http-mcp-server.ts';
import { httpConfig, NEVER, openPool, settled, stdioConfig } from './support/pool.ts';

async function logIn(
  home: string,
  config: McpLoginOptions['config'],
  options: Partial<McpLoginOptions> & { readonly change?: (url: URL) => void } = {},
): Promise<readonly { status: number; text: string }[]> {
  const dialer = createDialer({ environment: {} });
  const visits: Promise<{ status: number; text: string }>[] = [];
  const { change, ...rest } = options;
  try {
    await (await loadMcpLogins()).logIn({
      config,
      home,
      dialer,
      callbackPort: undefined,
      callbackUrl: undefined,
      scopes: undefined,
      onAuthorizationUrl: (url) => visits.push(visit(url, change)),
      signal: NEVER,
      ...rest,
    });
    return await Promise.all(visits);
  } finally {
    await Promise.allSettled(visits);
    dialer.close();
  }
}

const credentialsOf = async (home: string) => JSON.parse(await readFile(join(home, '.credentials.json'), 'utf8'));

test('a person logs in with the browser; the tokens are stored where the peer has them, for nobody else to read [MCP-31]', async () => {
  await using folder = await temporaryDirectory();
  await using server = await HttpMcpServer.start({ oauth: true });
  await writeFile(join(folder.path, '.credentials.json'), '{"other|1":{"kept":true}}', { mode: 0o644 });
  const pages = await logIn(folder.path, httpConfig('web', server.url));
  expect(pages).toEqual([{ status: 200, text: 'You are logged in. You can close this window.' }]);
  const [token] = server.tokens;
  const [refresh] = server.refreshTokens;
  const stored = await credentialsOf(folder.path);
  const key = Object.keys(stored).find((name) => name.startsWith('web|')) ?? '';
  expect(key).toMatch(/^web\|[0-9a-f]{16}$/);
  expect(stored).toEqual({
    'other|1': { kept: true },
    [key]: {
      server_name: 'web',
      server_url: server.url,
      issuer: server.origin,
      client_id: 'registered-client',
      access_token: token,
      expires_at: expect.any(Number),
      refresh_token: refresh,
      scopes: ['read'],
    },
  });
  expect((await stat(join(folder.path, '.credentials.json'))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder.path)).toEqual(['.credentials.json']);
  expect(server.registrations).toMatchObject([{ client_name: 'Quire', token_endpoint_auth_method: 'none' }]);
  expect(server.tokenRequests).toMatchObject([{ grant_type: 'authorization_code', resource: server.url }]);
});

test('a login file of the peer is read: its key is the same [MCP-32]', async () => {
  await using folder = await temporaryDirectory();
  const url = 'http://127.0.0.1:33391/mcp';
  const entry = { client_id: 'c', access_token: 'a', expires_at: 5, refresh_token: 'r', scopes: ['read'] };
  await writeFile(join(folder.path, '.credentials.json'), JSON.stringify({ 'web|013f375064a48734': entry }));
  expect(await (await loadMcpLogins()).read({ home: folder.path, name: 'web', url })).toEqual({
    issuer: undefined,
    clientId: 'c',
    clientSecret: undefined,
    accessToken: 'a',
    expiresAtMs: 5,
    refreshToken: 'r',
    scopes: ['read'],
  });
});

test('a stored login is used, and renewed when it is refused [MCP-33]', async () => {
  await using server = await HttpMcpServer.start({ oauth: true });
  await using t = await openPool();
  await logIn(t.directory, httpConfig('web', server.url));
  const first = [...server.tokens][0] ?? '';
  const lease = t.acquire(httpConfig('web', server.url));
  await settled(lease);
  expect(lease.tools).toHaveLength(1);
  server.tokens.delete(first);
  expect(await lease.callTool({ server: 'web', tool: 'echo', arguments: {} }, { signal: NEVER })).toMatchObject({
    kind: 'answered',
  });
  const [entry] = Object.values(await credentialsOf(t.directory)) as { access_token: string; refresh_token: string }[];
  expect([entry?.access_token, entry?.refresh_token]).toEqual([[...server.tokens][0], [...server.refreshTokens][0]]);
  expect(entry?.access_token).not.toBe(first);
});

test('an expired login is renewed before it is used; one that can not be renewed asks for a login [MCP-34]', async () => {
  await using server = await HttpMcpServer.start({ oauth: true });
  await using t = await openPool();
  await logIn(t.directory, httpConfig('web', server.url));
  const file = join(t.directory, '.credentials.json');
  const expire = async () => {
    const stored = await credentialsOf(t.directory);
    for (const entry of Object.values(stored) as { expires_at: number }[]) entry.expires_at = 1;
    await writeFile(file, JSON.stringify(stored));
  };
  await expire();
  const lease = t.acquire(httpConfig('web', server.url));
  await settled(lease);
  expect([lease.tools.length, server.tokenRequests.length]).toEqual([1, 2]);
  await lease.release();
  await expire();
  server.refreshTokens.clear();
  await settled(t.acquire(httpConfig('web', server.url)));
  expect(t.notices).toEqual(['MCP server web: its login could not be renewed; run quire mcp login web']);
});

test('a visit that does not bring back the state changes nothing, and nobody is waited for for ever [MCP-35]', async () => {
  await using folder = await temporaryDirectory();
  await using server = await HttpMcpServer.start({ oauth: true });
  const forge = (url: URL): void => url.searchParams.set('state', 'forged');
  const login = logIn(folder.path, httpConfig('web', server.url), { change: forge, timeoutMs: 500 });
  await expect(login).rejects.toThrow('nobody logged in to MCP server web within 0.5 s');
  expect(await readdir(folder.path)).toEqual([]);
});

test('a refused login says so [MCP-36]', async () => {
  await using folder = await temporaryDirectory();
  await using server = await HttpMcpServer.start({ oauth: true });
  const refuse = (url: URL): void => {
    url.searchParams.delete('code');
    url.searchParams.set('error', 'access_denied');
  };
  await expect(logIn(folder.path, httpConfig('web', server.url), { change: refuse })).rejects.toThrow(
    'the login to MCP server web was refused: access_denied',
  );
  await expect(logIn(folder.path, stdioConfig('tool'))).rejects.toThrow('only servers with a url have logins');
});

test('a login is removed without the others, and the file with the last one [MCP-37]', async () => {
  await using folder = await temporaryDirectory();
  await using server = await HttpMcpServer.start({ oauth: true });
  const logins = await loadMcpLogins();
  for (const name of ['one', 'two']) await logIn(folder.path, httpConfig(name, server.url));
  const place = (name: string) => ({ home: folder.path, name, url: server.url });
  expect(await logins.remove(place('one'))).toBe(true);
  expect(await logins.remove(place('one'))).toBe(false);
  expect(await logins.read(place('two'))).toMatchObject({ clientId: 'registered-client' });
  expect(await logins.remove(place('two'))).toBe(true);
  expect(await readdir(folder.path)).toEqual([]);
});

test('a login file that holds something else is left alone and named [MCP-38]', async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, '.credentials.json');
  await writeFile(file, 'secret-token');
  const place = { home: folder.path, name: 'web', url: 'http://127.0.0.1/mcp' };
  const logins = await loadMcpLogins();
  await expect(logins.read(place)).rejects.toThrow(`${file} holds no JSON object; delete it and log in again`);
  const error = await logins.remove(place).catch((thrown: unknown) => thrown);
  expect(String(error instanceof Error ? `${error.stack} ${String(error.cause)}` : error)).not.toContain(
    'secret-token',
  );
  expect(await readFile(file, 'utf8')).toBe('secret-token');
  await mkdir(join(folder.path, 'folder', '.credentials.json'), { recursive: true });
  await expect(logins.read({ ...place, home: join(folder.path, 'folder') })).rejects.toThrow('can not be read');
});
