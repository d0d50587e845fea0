import type { McpServerConfig } from '@quire/core';
import { safeLine } from '../exec/safe-text.ts';

/** What is known of the login of a server without asking it. Words are the peer's. */
export type AuthStatus = 'unsupported' | 'bearer_token' | 'o_auth' | 'unknown';

const AUTH_WORDS = {
  unsupported: 'Unsupported',
  bearer_token: 'Bearer token',
  o_auth: 'OAuth',
  unknown: 'Unknown',
} as const satisfies Record<AuthStatus, string>;
const HIDDEN = '*****';

export interface ListedServer {
  readonly config: McpServerConfig;
  readonly auth: AuthStatus;
}

/** As `list --json` has it. Shape: that of the peer 0.169. */
export function listJson(servers: readonly ListedServer[]): string {
  const values = servers.map(({ config, auth }) => ({ ...headJson(config), ...timesJson(config), auth_status: auth }));
  return JSON.stringify(values, undefined, 2);
}

/** As `get --json` has it. */
export function serverJson(config: McpServerConfig): string {
  const { enabledTools = null, disabledTools = null } = config;
  const tools = { enabled_tools: enabledTools, disabled_tools: disabledTools };
  return JSON.stringify({ ...headJson(config), ...tools, ...timesJson(config) }, undefined, 2);
}

function headJson({ name, enabled, transport }: McpServerConfig): object {
  const json =
    transport.kind === 'stdio'
      ? {
          type: 'stdio',
          command: transport.command,
          args: transport.args,
          env: transport.env ?? null,
          env_vars: transport.envVars,
          cwd: transport.cwd ?? null,
        }
      : {
          type: 'streamable_http',
          url: transport.url,
          bearer_token_env_var: transport.bearerTokenEnvVar ?? null,
          http_headers: transport.httpHeaders ?? null,
          env_http_headers: transport.envHttpHeaders ?? null,
          http_headers_helper: null,
        };
  return { name, enabled, disabled_reason: null, transport: json };
}

function timesJson({ startupTimeoutMs, toolTimeoutMs }: McpServerConfig): object {
  return { startup_timeout_sec: seconds(startupTimeoutMs), tool_timeout_sec: seconds(toolTimeoutMs) };
}

function seconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : milliseconds / 1000;
}

/** Programs first, then those with an address. */
export function listText(servers: readonly ListedServer[]): string {
  const programs: string[][] = [];
  const addresses: string[][] = [];
  for (const { config, auth } of servers) {
    const { name, enabled, transport } = config;
    const status = [enabled ? 'enabled' : 'disabled', AUTH_WORDS[auth]];
    if (transport.kind === 'stdio') {
      const { command, args, cwd } = transport;
      programs.push([name, command, dashed(args.join(' ')), dashed(variables(config)), cwd ?? '-', ...status]);
    } else addresses.push([name, transport.url, transport.bearerTokenEnvVar ?? '-', ...status]);
  }
  const tables = [
    programs.length === 0 ? [] : [['Name', 'Command', 'Args', 'Env', 'Cwd', 'Status', 'Auth'], ...programs],
    addresses.length === 0 ? [] : [['Name', 'Url', 'Bearer Token Env Var', 'Status', 'Auth'], ...addresses],
  ];
  return tables
    .filter((rows) => rows.length > 0)
    .map(columns)
    .join('\n');
}

function columns(rows: readonly (readonly string[])[]): string {
  const safe = rows.map((row) => row.map(safeLine));
  const widths = (safe[0] ?? []).map((_, column) => Math.max(...safe.map((row) => row[column]?.length ?? 0)));
  return safe
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** One server for people. */
export function serverText(config: McpServerConfig): string {
  const { name, enabled, transport, enabledTools, disabledTools, startupTimeoutMs, toolTimeoutMs } = config;
  if (!enabled) return `${safeLine(name)} (disabled)\n`;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['enabled', 'true'],
    ...(transport.kind === 'stdio'
      ? ([
          ['transport', 'stdio'],
          ['command', transport.command],
          ['args', dashed(transport.args.join(' '))],
          ['cwd', transport.cwd ?? '-'],
          ['env', dashed(variables(config))],
        ] as const)
      : ([
          ['transport', 'streamable_http'],
          ['url', transport.url],
          ['bearer_token_env_var', transport.bearerTokenEnvVar ?? '-'],
          ['http_headers', dashed(hidden(Object.keys(transport.httpHeaders ?? {})))],
          ['env_http_headers', dashed(pairs(transport.envHttpHeaders ?? {}))],
        ] as const)),
    ['enabled_tools', enabledTools?.join(', ')],
    ['disabled_tools', disabledTools?.join(', ')],
    ['startup_timeout_sec', seconds(startupTimeoutMs)?.toString()],
    ['tool_timeout_sec', seconds(toolTimeoutMs)?.toString()],
    ['remove', `quire mcp remove ${name}`],
  ];
  const lines = rows.flatMap(([key, value]) => (value === undefined ? [] : [`  ${key}: ${safeLine(value)}\n`]));
  return `${safeLine(name)}\n${lines.join('')}`;
}

function variables({ transport }: McpServerConfig): string {
  return transport.kind === 'stdio' ? hidden([...Object.keys(transport.env ?? {}), ...transport.envVars]) : '';
}

function hidden(names: readonly string[]): string {
  return names.map((name) => `${name}=${HIDDEN}`).join(', ');
}

function pairs(table: Readonly<Record<string, string>>): string {
  return Object.entries(table)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

function dashed(text: string): string {
  return text === '' ? '-' : text;
}
