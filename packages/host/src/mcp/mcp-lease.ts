import type { McpReading, McpServerConfig, McpServers, McpTool, McpToolOutcome } from '@quire/core';
import type { JsonObject } from '@quire/protocol';
import { linkSignals } from '../process/abort.ts';
import { CallTimer } from './call-timer.ts';
import { TOOL_TIMEOUT_MS } from './limits.ts';
import { McpError } from './mcp-error.ts';
import type { ServerConnection } from './server-connection.ts';
import type { SharedServer } from './shared-server.ts';
import { nameTools, type ServerTool } from './tool-list.ts';

export interface McpServerStatus {
  readonly name: string;
  readonly state: 'idle' | 'starting' | 'ready' | 'down';
  /** Why it is down. */
  readonly problem: string | undefined;
  readonly toolCount: number;
}

/** The servers of one thread, until it is released. */
export interface McpLease extends McpServers {
  readonly statuses: readonly McpServerStatus[];
  /**
   * Resolves when all servers marked `required` are ready; rejects with McpError for one that is not to be had, or with
   * the reason of the signal. Bounded by their startup time.
   */
  requiredReady(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Ends servers that nobody else uses; resolves when nothing of them is left. Twice is fine. Never rejects. */
  release(): Promise<void>;
}

interface LeasedServer {
  readonly config: McpServerConfig;
  readonly server: SharedServer;
}

/** What one thread sees of the shared servers: its own choice of tools, limits and approval modes. */
export class LeasedServers implements McpLease {
  readonly serverNames: readonly string[];
  readonly #servers: readonly LeasedServer[];
  readonly #onNotice: (notice: string) => void;
  readonly #release: () => Promise<void>;
  readonly #released = new AbortController();
  readonly #told = new Set<string>();
  #seen: readonly (readonly ServerTool[])[] = [];
  #tools: readonly McpTool[] = [];
  #releasing: Promise<void> | undefined;

  constructor(
    servers: readonly LeasedServer[],
    options: { readonly onNotice: (notice: string) => void; readonly release: () => Promise<void> },
  ) {
    this.#servers = [...servers].sort((one, other) => (one.config.name < other.config.name ? -1 : 1));
    this.serverNames = this.#servers.map(({ config }) => config.name);
    this.#onNotice = options.onNotice;
    this.#release = options.release;
    for (const { server } of this.#servers) server.listen(this.#tell);
  }

  start(): void {
    if (this.#releasing === undefined) for (const { server } of this.#servers) server.start();
  }

  get tools(): readonly McpTool[] {
    const lists = this.#servers.map(({ server }) => server.tools);
    if (lists.some((list, index) => list !== this.#seen[index])) {
      this.#seen = lists;
      const named = nameTools(this.#servers.map(({ config, server }) => ({ config, tools: server.tools })));
      this.#tools = named.tools;
      for (const { server, name, callName } of named.duplicates) {
        this.#tell(`MCP server ${server}: its tool ${name} is left out: another one is called ${callName} already`);
      }
    }
    return this.#tools;
  }

  get statuses(): readonly McpServerStatus[] {
    return this.#servers.map(({ config, server }) => ({
      name: config.name,
      state: server.state,
      problem: server.problem,
      toolCount: server.tools.length,
    }));
  }

  async requiredReady({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const required = this.#servers.filter(({ config }) => config.required);
    await Promise.all(required.map(({ server }) => server.settled(signal)));
    const missing = required.find(({ server }) => server.state !== 'ready');
    if (missing === undefined) return;
    const { name } = missing.config;
    const problem = missing.server.problem ?? `MCP server ${name} is not there`;
    throw new McpError('start-failed', `${problem} (it is required: mcp_servers.${name}.required)`);
  }

  async callTool(...[call, options]: Parameters<McpLease['callTool']>): Promise<McpToolOutcome> {
    return this.#within(call.server, options.signal, async ({ config, server }, signal) => {
      const answer = await server.callTool({
        tool: call.tool,
        arguments: call.arguments,
        timeoutMs: config.toolTimeoutMs ?? TOOL_TIMEOUT_MS,
        elicit: options.elicit,
        signal,
      });
      return { kind: 'answered', ...answer };
    });
  }

  listResources(...[query, options]: Parameters<McpLease['listResources']>): ReturnType<McpLease['listResources']> {
    return this.#read(query.server, options.signal, (connection, signal) =>
      connection.listResources(query.kind, query.cursor, signal),
    );
  }

  readResource(...[query, options]: Parameters<McpLease['readResource']>): Promise<McpReading<JsonObject>> {
    return this.#read(query.server, options.signal, (connection, signal) => connection.readResource(query.uri, signal));
  }

  release(): Promise<void> {
    this.#releasing ??= this.#releaseAll();
    return this.#releasing;
  }

  async #releaseAll(): Promise<void> {
    for (const { server } of this.#servers) server.unlisten(this.#tell);
    this.#released.abort(new McpError('closed', 'the MCP servers of this thread were released'));
    await this.#release();
  }

  #read<Value>(
    name: string,
    signal: AbortSignal,
    ask: (connection: ServerConnection, signal: AbortSignal) => Promise<Value>,
  ): Promise<McpReading<Value>> {
    return this.#within(name, signal, async ({ config, server }, callSignal) => {
      const timeoutMs = config.toolTimeoutMs ?? TOOL_TIMEOUT_MS;
      const timeout = new AbortController();
      const limit = `mcp_servers.${name}.tool_timeout_sec gives it longer`;
      const tooLate = `MCP server ${name} did not answer within ${timeoutMs / 1000} s; ${limit}`;
      const timer = new CallTimer(timeoutMs, () => timeout.abort(new McpError('tool-timeout', tooLate)));
      using both = linkSignals([callSignal, timeout.signal]);
      try {
        return { kind: 'read', value: await server.request((connection) => ask(connection, both.signal), both.signal) };
      } finally {
        timer.clear();
      }
    });
  }

  /** Failures as values; rejects only with the reason of `signal`. */
  async #within<Outcome>(
    name: string,
    signal: AbortSignal,
    work: (leased: LeasedServer, signal: AbortSignal) => Promise<Outcome>,
  ): Promise<Outcome | { readonly kind: 'failed'; readonly reason: string }> {
    const leased = this.#servers.find(({ config }) => config.name === name);
    if (leased === undefined) return { kind: 'failed', reason: `there is no MCP server ${JSON.stringify(name)}` };
    using both = linkSignals([signal, this.#released.signal]);
    try {
      return await work(leased, both.signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The same sentence is said once. */
  readonly #tell = (notice: string): void => {
    if (this.#told.has(notice) || this.#releasing !== undefined) return;
    this.#told.add(notice);
    this.#onNotice(notice);
  };
}
