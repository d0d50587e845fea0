import type { McpApprovalMode, McpHttpTransport, McpServerConfig, McpStdioTransport } from '@quire/core';
import { ConfigError } from './config-error.ts';
import { isTable } from './layers.ts';
import { OVERRIDE_SOURCE } from './overrides.ts';
import type { SettingPath, SettingReader } from './setting-reader.ts';

export interface McpConfig {
  /** In alphabetical order; those that are switched off as well. */
  readonly mcpServers: readonly McpServerConfig[];
  /** Absent: a free one. */
  readonly mcpOauthCallbackPort: number | undefined;
  readonly mcpOauthCallbackUrl: string | undefined;
}

const APPROVAL_MODES: readonly McpApprovalMode[] = ['auto', 'prompt', 'writes', 'approve'];
const MAX_PORT = 65_535;

type ServerKey =
  Extract<SettingPath['key'], `mcp_servers.${string}`> extends `mcp_servers.<id>.${infer Key}` ? Key : never;
type At = (key: ServerKey) => SettingPath;

const STDIO_KEYS = ['args', 'env', 'env_vars', 'cwd'] as const;
const HTTP_KEYS = [
  'bearer_token_env_var',
  'http_headers',
  'env_http_headers',
  'oauth.client_id',
  'oauth_resource',
  'scopes',
] as const;

/**
 * A server that is configured wrongly in a file is left out with a warning: it must not keep a person from working.
 * On the command line it is an error.
 *
 * @param options `owner` reads the layers that are not the project's: a project may not say where logins come back to
 */
export function readMcpSettings(
  reader: SettingReader,
  { owner, warnings }: { readonly owner: SettingReader; readonly warnings: string[] },
): McpConfig {
  const mcpServers: McpServerConfig[] = [];
  for (const name of [...reader.tableKeys('mcp_servers')].sort()) {
    try {
      mcpServers.push(readServer(reader, name));
    } catch (error) {
      if (!(error instanceof ConfigError) || error.source === OVERRIDE_SOURCE) throw error;
      warnings.push(`${error.message}; the MCP server ${name} is left out`);
    }
  }
  const port = owner.integer({ key: 'mcp_oauth_callback_port' }, { minimum: 1 });
  if (port !== undefined && port > MAX_PORT) {
    throw owner.invalid({ key: 'mcp_oauth_callback_port' }, `must be at most ${MAX_PORT}, found ${port}`);
  }
  return {
    mcpServers,
    mcpOauthCallbackPort: port,
    mcpOauthCallbackUrl: owner.url({ key: 'mcp_oauth_callback_url' }),
  };
}

function readServer(reader: SettingReader, name: string): McpServerConfig {
  reader.requireEntryTable('mcp_servers', name);
  const at: At = (key) => ({ key: `mcp_servers.<id>.${key}`, id: name });
  const startupSeconds = reader.positiveNumber(at('startup_timeout_sec'));
  const startupTimeoutMs = reader.positiveNumber(at('startup_timeout_ms'));
  return {
    name,
    enabled: reader.boolean(at('enabled')) ?? true,
    required: reader.boolean(at('required')) ?? false,
    startupTimeoutMs: toMilliseconds(startupSeconds) ?? startupTimeoutMs,
    toolTimeoutMs: toMilliseconds(reader.positiveNumber(at('tool_timeout_sec'))),
    enabledTools: reader.stringList(at('enabled_tools')),
    disabledTools: reader.stringList(at('disabled_tools')),
    approvalMode: reader.oneOf(at('default_tools_approval_mode'), APPROVAL_MODES),
    toolApprovalModes: readToolModes(reader, name),
    parallelToolCalls: reader.boolean(at('supports_parallel_tool_calls')),
    transport: readTransport(reader, at),
  };
}

function toMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function readToolModes(reader: SettingReader, id: string): Readonly<Record<string, McpApprovalMode>> {
  const tools = reader.requireEntryTable('mcp_servers', id)?.['tools'];
  if (tools === undefined) return {};
  const at = (name: string): SettingPath => ({ key: 'mcp_servers.<id>.tools.<name>.approval_mode', id, name });
  if (!isTable(tools)) throw reader.invalid(at('<name>'), 'must stand in a table');
  const modes = Object.keys(tools).flatMap((name) => {
    const mode = reader.oneOf(at(name), APPROVAL_MODES);
    return mode === undefined ? [] : [[name, mode] as const];
  });
  return Object.fromEntries(modes);
}

/** Everything is read before it is compared, so that a wrong type is named first. */
function readTransport(reader: SettingReader, at: At): McpStdioTransport | McpHttpTransport {
  const command = reader.nonEmptyString(at('command'));
  const stdio = {
    kind: 'stdio',
    command: command ?? '',
    args: reader.stringList(at('args')) ?? [],
    env: reader.stringMap(at('env')),
    envVars: reader.stringList(at('env_vars')) ?? [],
    cwd: reader.path(at('cwd')),
  } as const;
  const url = reader.url(at('url'));
  const http = {
    kind: 'streamable-http',
    url: url ?? '',
    bearerTokenEnvVar: reader.nonEmptyString(at('bearer_token_env_var')),
    httpHeaders: reader.stringMap(at('http_headers')),
    envHttpHeaders: reader.stringMap(at('env_http_headers')),
    oauthClientId: reader.nonEmptyString(at('oauth.client_id')),
    oauthResource: reader.nonEmptyString(at('oauth_resource')),
    scopes: reader.stringList(at('scopes')),
  } as const;
  if (command !== undefined) {
    if (url !== undefined) throw reader.invalid(at('url'), 'does not go with `command`; keep one of them');
    refuseKeys(reader, at, { keys: HTTP_KEYS, problem: 'goes with `url` only, not with `command`' });
    return stdio;
  }
  if (url === undefined) throw reader.invalid(at('command'), 'is missing: a server needs `command` or `url`');
  refuseKeys(reader, at, { keys: STDIO_KEYS, problem: 'goes with `command` only, not with `url`' });
  return http;
}

function refuseKeys(
  reader: SettingReader,
  at: At,
  { keys, problem }: { readonly keys: readonly ServerKey[]; readonly problem: string },
): void {
  const surplus = keys.find((key) => reader.raw(at(key)) !== undefined);
  if (surplus !== undefined) throw reader.invalid(at(surplus), problem);
}
