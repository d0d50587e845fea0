import type { McpPool, McpPoolOptions } from './mcp-pool.ts';

/** Fetches what runs MCP servers; a process without any need not have it in memory. */
export async function loadMcpPool(): Promise<(options: McpPoolOptions) => McpPool> {
  const { McpPool } = await import('./mcp-pool.ts');
  return (options) => new McpPool(options);
}
