import { homedir } from 'node:os';
import { join } from 'node:path';
import type { McpServerConfig } from '@quire/core';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { workingDirectory } from '../working-directory.ts';
import { type McpOrder, parseMcpArguments } from './arguments.ts';
import type { AuthStatus } from './server-format.ts';

type OrderOf<Kind extends McpOrder['kind']> = Extract<McpOrder, { kind: Kind }>;

interface Place {
  readonly home: string;
  readonly overrides: readonly string[];
}

/** What is wrong, in one line for a person. */
class McpCommandError extends Error {}

/** `quire mcp`. */
export async function mcpCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseMcpArguments(argv);
  if (parsed.kind === 'help') return say('stdout', (await import('./help.ts')).MCP_HELP);
  if (parsed.kind === 'usage-error') {
    say('stderr', `quire: ${safeLine(parsed.message)}\nUsage: quire mcp COMMAND; see quire mcp --help\n`);
    return { exitCode: EXIT.usage, settled: true };
  }
  try {
    const { resolveHome } = await import('@quire/store');
    const home = resolveHome({ environment: process.env, homeDirectory: homedir() });
    return await obey(parsed.order, { home, overrides: parsed.overrides });
  } catch (error) {
    say('stderr', `quire: ${safeLine(error instanceof Error ? error.message : String(error))}\n`);
    return { exitCode: EXIT.failed, settled: true };
  }
}

async function obey(order: McpOrder, place: Place): Promise<CommandResult> {
  switch (order.kind) {
    case 'list':
      return listServers(order, place);
    case 'get':
      return showServer(order, place);
    case 'add':
      return addServer(order, place);
    case 'remove':
      return removeServer(order, place);
    case 'login':
      return logIn(order, place);
    case 'logout':
      return logOut(order, place);
  }
}

async function listServers({ json }: OrderOf<'list'>, place: Place): Promise<CommandResult> {
  const [{ mcpServers }, { listJson, listText }] = await Promise.all([
    loadServers(place),
    import('./server-format.ts'),
  ]);
  const servers = await Promise.all(
    mcpServers.map(async (config) => ({ config, auth: await authStatus(config, place.home) })),
  );
  if (json) return say('stdout', `${listJson(servers)}\n`);
  if (servers.length === 0) {
    return say('stdout', 'There are no MCP servers; quire mcp add NAME -- PROGRAM adds one.\n');
  }
  const { serverWithoutSecrets } = await import('./server-without-secrets.ts');
  const shown = servers.map(async ({ config, auth }) => ({ config: await serverWithoutSecrets(config), auth }));
  return say('stdout', listText(await Promise.all(shown)));
}

async function showServer({ name, json }: OrderOf<'get'>, place: Place): Promise<CommandResult> {
  const [config, { serverJson, serverText }] = await Promise.all([
    findServer(name, place),
    import('./server-format.ts'),
  ]);
  if (json) return say('stdout', `${serverJson(config)}\n`);
  const { serverWithoutSecrets } = await import('./server-without-secrets.ts');
  return say('stdout', serverText(await serverWithoutSecrets(config)));
}

async function addServer({ name, server }: OrderOf<'add'>, { home }: Place): Promise<CommandResult> {
  const { editConfigFile } = await import('@quire/store');
  const file = join(home, 'config.toml');
  const path = ['mcp_servers', name];
  let replaces = false;
  await editConfigFile(file, (document) => {
    replaces = hasServer(document, name);
    // The old one goes as a whole: what is left of it could belong to the other kind of server.
    return [...(replaces ? [{ path, value: undefined }] : []), { path, value: server }];
  });
  const hint =
    'url' in server && !('bearer_token_env_var' in server) ? `If it wants a login: quire mcp login ${name}\n` : '';
  return say('stdout', `${replaces ? 'Replaced' : 'Added'} MCP server '${name}' in ${safeLine(file)}.\n${hint}`);
}

async function removeServer({ name }: OrderOf<'remove'>, { home }: Place): Promise<CommandResult> {
  const { editConfigFile } = await import('@quire/store');
  const file = join(home, 'config.toml');
  let removes = false;
  await editConfigFile(file, (document) => {
    removes = hasServer(document, name);
    return removes ? [{ path: ['mcp_servers', name], value: undefined }] : [];
  });
  const what = removes
    ? `Removed MCP server '${safeLine(name)}' from`
    : `There is no MCP server '${safeLine(name)}' in`;
  return say('stdout', `${what} ${safeLine(file)}.\n`);
}

async function logIn(order: OrderOf<'login'>, place: Place): Promise<CommandResult> {
  const { mcpOauthCallbackPort, mcpOauthCallbackUrl } = await loadServers(place);
  const config = await findServer(order.name, place);
  const [{ loadMcpLogins }, { createDialer }] = await Promise.all([import('@quire/host'), import('@quire/network')]);
  const dialer = createDialer({ environment: process.env });
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new McpCommandError('the login was given up'));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    await (await loadMcpLogins()).logIn({
      config,
      home: place.home,
      dialer,
      callbackPort: mcpOauthCallbackPort,
      callbackUrl: mcpOauthCallbackUrl,
      scopes: order.scopes,
      onAuthorizationUrl: (url) => {
        say(
          'stdout',
          `To log in to '${safeLine(order.name)}', open this address in a browser:\n\n${safeLine(url)}\n\n`,
        );
        if (order.opensBrowser) void import('./open-browser.ts').then(({ openBrowser }) => openBrowser(url));
      },
      signal: stopping.signal,
    });
    return say('stdout', `You are logged in to MCP server '${safeLine(order.name)}'.\n`);
  } finally {
    dialer.close();
  }
}

async function logOut({ name }: OrderOf<'logout'>, place: Place): Promise<CommandResult> {
  const { transport } = await findServer(name, place);
  if (transport.kind === 'stdio') {
    throw new McpCommandError(`MCP server ${name} is a program: only servers with a url have logins`);
  }
  const { loadMcpLogins } = await import('@quire/host');
  const removed = await (await loadMcpLogins()).remove({ home: place.home, name, url: transport.url });
  const what = removed ? 'The login is forgotten' : 'There is no stored login';
  return say('stdout', `${what}: MCP server '${safeLine(name)}'.\n`);
}

type Servers = Pick<
  Awaited<ReturnType<typeof import('@quire/store')['loadConfig']>>,
  'mcpServers' | 'mcpOauthCallbackPort' | 'mcpOauthCallbackUrl'
>;

/** What is wrong with single servers is said, and does not keep the others from being used. */
async function loadServers({ home, overrides }: Place): Promise<Servers> {
  const { loadConfig } = await import('@quire/store');
  const cwd = workingDirectory(/* given */ undefined, { takesDirectory: false });
  const { warnings, ...config } = await loadConfig({ home, cwd, overrides, environment: process.env });
  for (const warning of warnings) if (warning.includes('mcp_servers')) say('stderr', `quire: ${safeLine(warning)}\n`);
  return config;
}

async function findServer(name: string, place: Place): Promise<McpServerConfig> {
  const { mcpServers } = await loadServers(place);
  const config = mcpServers.find((candidate) => candidate.name === name);
  if (config !== undefined) return config;
  const { nearestName } = await import('../suggestion.ts');
  const nearest = nearestName(
    name,
    mcpServers.map((candidate) => candidate.name),
  );
  const hint = nearest === undefined ? 'quire mcp list shows those that there are' : `did you mean ${nearest}?`;
  throw new McpCommandError(`there is no MCP server ${JSON.stringify(name.slice(0, 60))}; ${hint}`);
}

async function authStatus({ name, transport }: McpServerConfig, home: string): Promise<AuthStatus> {
  if (transport.kind === 'stdio') return 'unsupported';
  if (transport.bearerTokenEnvVar !== undefined) return 'bearer_token';
  const { loadMcpLogins } = await import('@quire/host');
  const login = await (await loadMcpLogins()).read({ home, name, url: transport.url });
  return login === undefined ? 'unknown' : 'o_auth';
}

function hasServer(document: Readonly<Record<string, unknown>>, name: string): boolean {
  const servers = document['mcp_servers'];
  return typeof servers === 'object' && servers !== null && Object.hasOwn(servers, name);
}
