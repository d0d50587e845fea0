import { createHash } from 'node:crypto';
import type { McpServerConfig, McpTool, McpToolHints } from '@quire/core';
import { type JsonObject, objectAt, stringAt } from '@quire/protocol';
import { TOOL_MAX_CHARACTERS, TOOLS_MAX } from './limits.ts';

const NAME_MAX_CHARACTERS = 64;

/** A tool as its server describes it. */
export interface ServerTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly hints: McpToolHints;
}

/** Those of the descriptions that can be used, and what was left out, in words. */
export function readTools(descriptions: readonly JsonObject[]): {
  readonly tools: readonly ServerTool[];
  readonly problems: readonly string[];
} {
  const tools: ServerTool[] = [];
  const problems: string[] = [];
  if (descriptions.length > TOOLS_MAX) {
    problems.push(`offers ${descriptions.length} tools; the first ${TOOLS_MAX} are taken`);
  }
  for (const description of descriptions.slice(0, TOOLS_MAX)) {
    const name = stringAt(description, 'name');
    if (name === undefined || name === '') problems.push('offers a tool without a name, which is left out');
    else if (JSON.stringify(description).length > TOOL_MAX_CHARACTERS) {
      problems.push(`describes its tool ${name.slice(0, 60)} with too many words, so it is left out`);
    } else tools.push(readTool(name, description));
  }
  return { tools, problems };
}

function readTool(name: string, description: JsonObject): ServerTool {
  const annotations = objectAt(description, 'annotations') ?? {};
  const flag = (key: string): boolean | undefined => {
    const value = annotations[key];
    return typeof value === 'boolean' ? value : undefined;
  };
  const [readOnly, destructive, openWorld] = [flag('readOnlyHint'), flag('destructiveHint'), flag('openWorldHint')];
  return {
    name,
    description: stringAt(description, 'description') ?? stringAt(description, 'title') ?? '',
    inputSchema: objectAt(description, 'inputSchema') ?? {},
    hints: {
      ...(readOnly === undefined ? {} : { readOnly }),
      ...(destructive === undefined ? {} : { destructive }),
      ...(openWorld === undefined ? {} : { openWorld }),
    },
  };
}

/** The tools of one server that its configuration lets through. */
function allowedTools(tools: readonly ServerTool[], config: McpServerConfig): readonly ServerTool[] {
  const { enabledTools, disabledTools = [] } = config;
  return tools.filter(
    ({ name }) => (enabledTools === undefined || enabledTools.includes(name)) && !disabledTools.includes(name),
  );
}

/**
 * All tools under the names that models call them by, sorted by these. Of several with one name the first counts.
 * Source: facts, MCP tools.
 */
export function nameTools(
  servers: readonly { readonly config: McpServerConfig; readonly tools: readonly ServerTool[] }[],
): { readonly tools: readonly McpTool[]; readonly duplicates: readonly McpTool[] } {
  const named = new Map<string, McpTool>();
  const duplicates: McpTool[] = [];
  for (const { config, tools } of servers) {
    for (const tool of allowedTools(tools, config)) {
      const offered = offeredTool(tool, config);
      if (named.has(offered.callName)) duplicates.push(offered);
      else named.set(offered.callName, offered);
    }
  }
  const sorted = [...named.values()].sort((one, other) => (one.callName < other.callName ? -1 : 1));
  return { tools: sorted, duplicates };
}

function offeredTool(tool: ServerTool, config: McpServerConfig): McpTool {
  const { toolApprovalModes, approvalMode = 'auto', parallelToolCalls } = config;
  const ownMode = Object.hasOwn(toolApprovalModes, tool.name) ? toolApprovalModes[tool.name] : undefined;
  return {
    ...tool,
    callName: callNameOf(config.name, tool.name),
    server: config.name,
    approvalMode: ownMode ?? approvalMode,
    parallelSafe: parallelToolCalls ?? tool.hints.readOnly === true,
  };
}

/** `mcp__SERVER__TOOL` of allowed characters; a long one is cut and ends with the SHA-1 of the whole. */
function callNameOf(server: string, tool: string): string {
  const full = `mcp__${server}__${tool}`;
  const allowed = full.replace(/[^A-Za-z0-9_-]/gu, '_');
  if (allowed.length <= NAME_MAX_CHARACTERS) return allowed;
  const hash = createHash('sha1').update(full).digest('hex');
  return `${allowed.slice(0, NAME_MAX_CHARACTERS - hash.length)}${hash}`;
}
