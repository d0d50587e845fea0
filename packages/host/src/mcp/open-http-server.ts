import { StreamableHTTPClientTransport, type StreamableHTTPClientTransportOptions } from '@modelcontextprotocol/client';
import type { McpHttpTransport } from '@quire/core';
import type { Dialer } from '@quire/network';
import { timerDelay } from '../process/abort.ts';
import { createDialerFetch } from './dialer-fetch.ts';
import { TOOL_TIMEOUT_MS } from './limits.ts';
import { McpError } from './mcp-error.ts';
import { readStoredLogin } from './oauth/credentials-file.ts';
import { StoredLoginProvider } from './oauth/stored-login-provider.ts';
import type { OpenedServer, OpenOrder } from './open-server.ts';
import { ServerConnection } from './server-connection.ts';

export interface HttpServerPorts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly loadDialer: () => Dialer | Promise<Dialer>;
  readonly onTokens?: (values: readonly string[]) => void;
}

/** How much longer than a call the wait for its answer's headers may be. */
const HEADERS_MARGIN_MS = 10_000;
/** Ending the session is a courtesy. */
const FAREWELL_TIMEOUT_MS = 300;

/** Reaches a server over streamable HTTP, with the stored login if there is one. */
export async function openHttpServer(
  order: OpenOrder & { readonly http: McpHttpTransport },
  ports: HttpServerPorts,
): Promise<OpenedServer> {
  const { http, signal, config } = order;
  const { name } = config;
  const headers = requestHeaders(name, http, ports.environment);
  const dialer = await ports.loadDialer();
  let broken: McpError | undefined;
  const fetch = createDialerFetch({
    name,
    dialer,
    onBroken: (error) => {
      broken ??= error;
      void transport.close();
    },
    headersTimeoutMs: timerDelay((config.toolTimeoutMs ?? TOOL_TIMEOUT_MS) + HEADERS_MARGIN_MS),
  });
  const options: StreamableHTTPClientTransportOptions = { requestInit: { headers }, fetch };
  const place = { home: ports.home, name, url: http.url };
  const hasOwnAuthorization = Object.keys(headers).some((header) => header.toLowerCase() === 'authorization');
  if (!hasOwnAuthorization && (await readStoredLogin(place)) !== undefined) {
    options.authProvider = new StoredLoginProvider(place, { fetch, onTokens: ports.onTokens });
  }
  signal.throwIfAborted();
  const transport = new StreamableHTTPClientTransport(parseUrl(name, http.url), options);
  const { clientInfo } = ports;
  const connection = await ServerConnection.open({ ...order, name, transport, clientInfo });
  return {
    connection,
    explainEnd: async () => broken ?? new McpError('ended', `MCP server ${name} closed the connection`),
    stop: async () => {
      const farewell = transport.terminateSession().catch(() => undefined);
      await Promise.race([farewell, new Promise((resolve) => setTimeout(resolve, FAREWELL_TIMEOUT_MS).unref())]);
      await connection.close();
    },
  };
}

/** @throws McpError 'missing-variable' */
function requestHeaders(
  name: string,
  http: McpHttpTransport,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const headers: Record<string, string> = { ...http.httpHeaders };
  for (const [header, variable] of Object.entries(http.envHttpHeaders ?? {})) {
    const value = environment[variable]?.trim() ?? '';
    if (value !== '') headers[header] = value;
  }
  const variable = http.bearerTokenEnvVar;
  if (variable === undefined) return headers;
  const token = environment[variable]?.trim() ?? '';
  if (token === '') {
    const message = `MCP server ${name}: the environment variable ${variable} is not set; see mcp_servers.${name}.bearer_token_env_var`;
    throw new McpError('missing-variable', message);
  }
  return { ...headers, authorization: `Bearer ${token}` };
}

/** @throws McpError 'start-failed' */
export function parseUrl(name: string, url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed;
  throw new McpError('start-failed', `MCP server ${name}: mcp_servers.${name}.url is no http or https address`);
}
