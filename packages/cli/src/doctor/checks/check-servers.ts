import type { McpServerConfig } from '@quire/core';
import { type CheckResult, type Finding, resultOf, skipped } from '../check.ts';
import type { Scene } from '../scene.ts';

const CHECK = 'mcp';

/** The MCP servers that are configured. None is started or connected to. */
export async function checkServers(scene: Scene): Promise<CheckResult> {
  const { config } = await scene.config();
  if (config === undefined) return skipped(CHECK, 'the configuration can not be used');
  const { mcpServers } = config;
  if (mcpServers.length === 0) return skipped(CHECK, 'no MCP server is configured');
  const names = mcpServers.map(({ name }) => name).join(', ');
  return resultOf(CHECK, {
    summary: `configured: ${names}; quire mcp list shows more`,
    details: mcpServers.map(serverLine),
    findings: mcpServers.flatMap((server) => missingToken(server, scene.environment)),
  });
}

/** Neither arguments nor paths of addresses: both may hold tokens. */
function serverLine({ name, enabled, transport }: McpServerConfig): string {
  const state = enabled ? '' : ' (switched off)';
  if (transport.kind === 'stdio') return `${name}: starts ${transport.command}${state}`;
  return `${name}: ${URL.canParse(transport.url) ? new URL(transport.url).origin : 'an address'}${state}`;
}

function missingToken(
  { name, enabled, transport }: McpServerConfig,
  environment: NodeJS.ProcessEnv,
): readonly Finding[] {
  const variable = transport.kind === 'stdio' ? undefined : transport.bearerTokenEnvVar;
  if (!enabled || variable === undefined || (environment[variable] ?? '').trim() !== '') return [];
  const text = `the MCP server ${name} takes its token from ${variable}, which is not set`;
  return [{ verdict: 'warning', text, remedy: `set ${variable}, or switch the server off` }];
}
