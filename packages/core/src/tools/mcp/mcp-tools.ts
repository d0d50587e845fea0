import type { Tool } from '../tool.ts';
import type { ToolSource } from '../tool-source.ts';
import { McpTool, type McpToolPorts } from './mcp-tool.ts';

/** The tools of the servers that are there, made anew only when the servers' own list is another one. */
export function createMcpTools(ports: McpToolPorts): ToolSource {
  let seen: McpToolPorts['servers']['tools'] | undefined;
  let tools: readonly Tool[] = [];
  return {
    get tools() {
      const current = ports.servers.tools;
      if (current !== seen) {
        seen = current;
        tools = current.map((tool) => new McpTool(tool, ports));
      }
      return tools;
    },
  };
}
