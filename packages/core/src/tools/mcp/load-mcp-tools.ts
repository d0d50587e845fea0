import type { Tool } from '../tool.ts';
import type { ToolSource } from '../tool-source.ts';
import type { McpToolPorts } from './mcp-tool.ts';

export interface McpToolSet {
  /** Over the resources of all servers; never change. */
  readonly resourceTools: readonly Tool[];
  /** Those of the servers themselves. */
  readonly tools: ToolSource;
}

/** Fetches what makes the tools of MCP servers; a thread without servers need not have it in memory. */
export async function loadMcpTools(): Promise<(ports: McpToolPorts) => McpToolSet> {
  const [{ createMcpTools }, { createMcpResourceTools }] = await Promise.all([
    import('./mcp-tools.ts'),
    import('./resource-tools.ts'),
  ]);
  return (ports) => ({ resourceTools: createMcpResourceTools(ports), tools: createMcpTools(ports) });
}
