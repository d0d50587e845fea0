import { isJsonObject, type JsonObject, type ToolCallItem } from '@quire/protocol';
import type { McpReading, McpResourceKind, McpServers } from '../../ports/mcp-servers.ts';
import { type ArgumentReading, invalid, parseArguments } from '../call-arguments.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';
import { abortedResult, type McpToolPorts, startedItem } from './mcp-tool.ts';

/** What clients are shown as the server when a call is about all of them. */
const EVERY_SERVER = 'quire';

/** Tools over the resources of all servers, in the order of offering. None when there are no servers. */
export function createMcpResourceTools(ports: Pick<McpToolPorts, 'servers' | 'clock'>): readonly Tool[] {
  if (ports.servers.serverNames.length === 0) return [];
  return [LIST_RESOURCES, LIST_TEMPLATES, READ_RESOURCE].map((definition) => new McpResourceTool(definition, ports));
}

interface ResourceToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly properties: JsonObject;
  readonly required: readonly string[];
  readonly read: (
    args: Readonly<Record<string, string>>,
    options: { readonly servers: McpServers; readonly signal: AbortSignal },
  ) => Promise<McpReading<JsonObject>>;
}

class McpResourceTool implements Tool {
  readonly name: string;
  readonly kind = 'mcp';
  readonly parallelSafe = true;
  readonly spec: Tool['spec'];
  readonly #definition: ResourceToolDefinition;
  readonly #ports: Pick<McpToolPorts, 'servers' | 'clock'>;

  constructor(definition: ResourceToolDefinition, ports: Pick<McpToolPorts, 'servers' | 'clock'>) {
    const { name, description, properties, required } = definition;
    this.#definition = definition;
    this.#ports = ports;
    this.name = name;
    this.spec = {
      type: 'function',
      name,
      description,
      strict: false,
      parameters: { type: 'object', properties, required, additionalProperties: false },
    };
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    const args = parsed.kind === 'ok' ? readArguments(parsed.value, this.#definition, this.#ports.servers) : parsed;
    if (args.kind === 'invalid') return toolError(call, this.name, args.message);
    const item = startedItem(call.call_id ?? this.name, {
      server: args.value['server'] ?? EVERY_SERVER,
      tool: this.name,
      arguments: args.value,
    });
    const { signal } = context;
    context.emit({ kind: 'item-start', turnId: context.turnId, item });
    const startedAtMs = this.#ports.clock.now();
    const elapsedMs = (): number => this.#ports.clock.now() - startedAtMs;
    try {
      const reading = await this.#definition.read(args.value, { servers: this.#ports.servers, signal });
      const ended = { ...item, durationMs: elapsedMs() };
      if (reading.kind === 'failed') {
        const output = `${this.name} failed: ${reading.reason}`;
        return { output, endItem: { ...ended, status: 'failed', error: reading.reason }, failed: true };
      }
      const output = JSON.stringify(reading.value);
      const result = { content: [{ type: 'text', text: output }], structured_content: null };
      return { output, endItem: { ...ended, status: 'completed', result } };
    } catch (error) {
      if (!signal.aborted) throw error;
      return abortedResult(item, elapsedMs());
    }
  }
}

function readArguments(
  args: JsonObject,
  { properties, required }: ResourceToolDefinition,
  servers: McpServers,
): ArgumentReading<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(properties)) {
    // A null and an empty text stand for an absent field: models write them for what is optional.
    const value = args[name] ?? '';
    if (typeof value !== 'string') return invalid(`\`${name}\` must be a string`);
    if (value.trim() !== '') values[name] = value;
    else if (required.includes(name)) return invalid(`missing field \`${name}\``);
  }
  const { server, cursor } = values;
  if (cursor !== undefined && server === undefined) return invalid('`cursor` goes with a `server`');
  if (server === undefined || servers.serverNames.includes(server)) return { kind: 'ok', value: values };
  return invalid(`there is no MCP server ${JSON.stringify(server)}; there are ${servers.serverNames.join(', ')}`);
}

/** From one server a page; from all of them what each has on its first pages. */
async function listResources(
  kind: McpResourceKind,
  args: Readonly<Record<string, string>>,
  { servers, signal }: { readonly servers: McpServers; readonly signal: AbortSignal },
): Promise<McpReading<JsonObject>> {
  const key = kind === 'resources' ? 'resources' : 'resourceTemplates';
  const { server, cursor } = args;
  if (server !== undefined) {
    const page = await servers.listResources({ kind, server, cursor }, { signal });
    if (page.kind === 'failed') return page;
    const { entries, nextCursor } = page.value;
    const next = nextCursor === undefined ? {} : { nextCursor };
    return { kind: 'read', value: { server, [key]: entries.map((entry) => ({ server, ...entry })), ...next } };
  }
  const found = await Promise.all(
    servers.serverNames.map(async (name) => ({
      name,
      ...(await listAllPages(servers, { kind, server: name }, signal)),
    })),
  );
  // A server that can not be asked does not hide what the others have.
  const failures = found.flatMap(({ name, reason }) => (reason === undefined ? [] : [{ server: name, error: reason }]));
  const entries = found.flatMap(({ name, pages }) => pages.map((entry) => ({ server: name, ...entry })));
  return { kind: 'read', value: { [key]: entries, ...(failures.length === 0 ? {} : { failures }) } };
}

/** A server whose cursors never end is cut off. */
const MAX_PAGES = 16;

async function listAllPages(
  servers: McpServers,
  { kind, server }: { readonly kind: McpResourceKind; readonly server: string },
  signal: AbortSignal,
): Promise<{ readonly pages: readonly JsonObject[]; readonly reason: string | undefined }> {
  const pages: JsonObject[] = [];
  let cursor: string | undefined;
  for (let count = 0; count < MAX_PAGES; count += 1) {
    const page = await servers.listResources({ kind, server, cursor }, { signal });
    if (page.kind === 'failed') return { pages, reason: page.reason };
    pages.push(...page.value.entries);
    cursor = page.value.nextCursor;
    if (cursor === undefined) return { pages, reason: undefined };
  }
  return { pages, reason: 'it has more pages than are read; ask for them with `server` and `cursor`' };
}

const LISTING_PROPERTIES = {
  server: { type: 'string', description: 'Name of an MCP server. Default: all of them.' },
  cursor: { type: 'string', description: 'The `nextCursor` of the previous page; needs `server`.' },
} as const;

const LIST_RESOURCES: ResourceToolDefinition = {
  name: 'list_mcp_resources',
  description:
    'Lists what MCP servers offer for reading: files, schemas and other knowledge about the task. Look here before you search the web.',
  properties: LISTING_PROPERTIES,
  required: [],
  read: (args, options) => listResources('resources', args, options),
};

const LIST_TEMPLATES: ResourceToolDefinition = {
  name: 'list_mcp_resource_templates',
  description: 'Lists the resources of MCP servers whose address takes parameters.',
  properties: LISTING_PROPERTIES,
  required: [],
  read: (args, options) => listResources('resource-templates', args, options),
};

const READ_RESOURCE: ResourceToolDefinition = {
  name: 'read_mcp_resource',
  description: 'Reads one resource of an MCP server.',
  properties: {
    server: { type: 'string', description: 'The `server` that the resource was listed with.' },
    uri: { type: 'string', description: 'The `uri` that it was listed with, or one made from a template.' },
  },
  required: ['server', 'uri'],
  read: async ({ server = '', uri = '' }, { servers, signal }) => {
    const reading = await servers.readResource({ server, uri }, { signal });
    if (reading.kind === 'failed') return reading;
    return { kind: 'read', value: { server, uri, ...(isJsonObject(reading.value) ? reading.value : {}) } };
  },
};
