import { type Approvals, type Clock, loadMcpTools, type McpServerConfig, type McpToolSet } from '@quire/core';
import { loadMcpPool, type McpPool } from '@quire/host';
import { createDialer, type Dialer } from '@quire/network';
import type { Environment } from './environment.ts';
import type { NoticeBoard } from './notice-board.ts';
import { VERSION } from './version.ts';

interface McpOrder {
  readonly config: { readonly mcpServers: readonly McpServerConfig[] };
  readonly home: string;
  readonly settings: { readonly cwd: string };
  readonly notices: NoticeBoard;
  readonly clock: Clock;
  /** Settled when the first request is on its way: loading what talks to servers keeps the processor busy. */
  readonly firstRequest: Promise<void>;
}

export interface ThreadServers extends McpToolSet {
  readonly isRequired: boolean;
  /** Rejects with McpError when a server is not to be had that a thread does not begin without. */
  ready(signal: AbortSignal): Promise<void>;
  /** Ends servers that no other thread uses. Never rejects. */
  release(): Promise<void>;
}

/** The MCP servers of one program: threads with the same configuration share them. */
export class McpServersOfProgram {
  readonly #environment: Environment;
  readonly #clientName: string;
  readonly #onTokens: (values: readonly string[]) => void;
  readonly #pools = new Map<string, Promise<McpPool>>();

  constructor(options: {
    readonly environment: Environment;
    readonly clientName: string;
    /** Told of the tokens of logins. Must not throw. */
    readonly onTokens: (values: readonly string[]) => void;
  }) {
    this.#onTokens = options.onTokens;
    this.#environment = options.environment;
    this.#clientName = options.clientName;
  }

  /** Servers start behind this, and their tools are there when they are. `undefined`: none is configured. */
  async equip(order: McpOrder, approvals: Approvals | undefined): Promise<ThreadServers | undefined> {
    const { config, home, settings, notices, clock, firstRequest } = order;
    const isRequired = config.mcpServers.some(({ enabled, required }) => enabled && required);
    if (!config.mcpServers.some(({ enabled }) => enabled)) return undefined;
    const [createTools, pool] = await Promise.all([loadMcpTools(), this.#pool(home)]);
    const servers = pool.acquire({
      servers: config.mcpServers,
      cwd: settings.cwd,
      onNotice: notices.post,
      ...(isRequired ? {} : { startAfter: firstRequest }),
    });
    const tools = createTools({ servers, clock, ...(approvals === undefined ? {} : { approvals }) });
    return {
      resourceTools: tools.resourceTools,
      tools: tools.tools,
      isRequired,
      ready: (signal) => servers.requiredReady({ signal }),
      release: () => servers.release(),
    };
  }

  #pool(home: string): Promise<McpPool> {
    let pool = this.#pools.get(home);
    if (pool === undefined) {
      let dialer: Dialer | undefined;
      pool = loadMcpPool().then((create) =>
        create({
          environment: this.#environment,
          home,
          onTokens: this.#onTokens,
          clientInfo: { name: this.#clientName, version: VERSION },
          loadDialer: () => {
            dialer ??= createDialer({ environment: this.#environment });
            return dialer;
          },
        }),
      );
      this.#pools.set(home, pool);
    }
    return pool;
  }
}
