import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { McpServerConfig } from '@quire/core';
import type { Dialer } from '@quire/network';
import { Watchdog } from '../process/watchdog.ts';
import { LeasedServers, type McpLease } from './mcp-lease.ts';
import { createServerOpener, type OpenServer } from './open-server.ts';
import type { ServerStart } from './server-process.ts';
import { SharedServer } from './shared-server.ts';

export interface McpPoolOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder of `.credentials.json`. Absolute. */
  readonly home: string;
  /** Who servers are told that it is. */
  readonly clientInfo: { readonly name: string; readonly version: string };
  /** Asked for with the first server that is reached over HTTP. The pool does not close it. */
  readonly loadDialer: () => Dialer | Promise<Dialer>;
  /** Told of the secrets of logins as they are read and renewed. Must not throw. */
  readonly onTokens?: (values: readonly string[]) => void;
}

export interface McpAcquisition {
  readonly servers: readonly McpServerConfig[];
  /** Where a server without a directory of its own starts. Absolute. */
  readonly cwd: string;
  /** A sentence for a person, such as why a server can not be used. Must not throw; not called after the release. */
  readonly onNotice: (notice: string) => void;
  /**
   * Servers start when this is settled, or when they are needed before. Loading the client keeps the processor busy for
   * a moment, so a caller in a hurry gives what is to happen first. Absent: at once, behind the current task.
   */
  readonly startAfter?: Promise<unknown>;
}

interface Entry {
  readonly server: SharedServer;
  users: number;
}

/** The MCP servers of this process: one for all threads that configure it alike, ended with the last of them. */
export class McpPool {
  readonly #open: OpenServer;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new Set<Promise<void>>();
  readonly #token = randomBytes(16).toString('hex');
  readonly #groups = new Set<number>();
  #watchdog: Watchdog | undefined;
  #starts = 0;
  #isClosed = false;

  constructor(options: McpPoolOptions) {
    this.#open = createServerOpener({
      environment: options.environment,
      clientInfo: options.clientInfo,
      watch: () => this.#watch(),
      openHttp: async (order, clientInfo) => {
        const { openHttpServer } = await import('./open-http-server.ts');
        return openHttpServer(order, { ...options, clientInfo });
      },
    });
  }

  /** Returns at once. After `close` there are no servers any more. */
  acquire({ servers, cwd, onNotice, startAfter }: McpAcquisition): McpLease {
    const wanted = this.#isClosed ? [] : servers.filter(({ enabled }) => enabled);
    const held = wanted.map((config) => ({ config, key: this.#identityOf(config, cwd) }));
    const entries = held.map(({ config, key }) => this.#take(key, config, cwd));
    const lease = new LeasedServers(
      held.map(({ config }, index) => ({ config, server: entries[index] as SharedServer })),
      { onNotice, release: () => this.#release(held.map(({ key }) => key)) },
    );
    if (entries.length > 0) void startLater(lease, startAfter);
    return lease;
  }

  /** Ends all servers. Twice is fine; never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [key, { server }] of this.#entries) {
      this.#entries.delete(key);
      void this.#stop(server);
    }
    await Promise.all(this.#stopping);
    await this.#watchdog?.close();
    this.#watchdog = undefined;
  }

  #take(key: string, config: McpServerConfig, cwd: string): SharedServer {
    const entry = this.#entries.get(key) ?? { server: new SharedServer({ config, cwd, open: this.#open }), users: 0 };
    this.#entries.set(key, entry);
    entry.users += 1;
    return entry.server;
  }

  async #release(keys: readonly string[]): Promise<void> {
    const stopped = keys.map((key) => {
      const entry = this.#entries.get(key);
      if (entry === undefined) return undefined;
      entry.users -= 1;
      if (entry.users > 0) return undefined;
      this.#entries.delete(key);
      return this.#stop(entry.server);
    });
    await Promise.all(stopped);
  }

  #stop(server: SharedServer): Promise<void> {
    const stopping = server.stop();
    this.#stopping.add(stopping);
    void stopping.finally(() => this.#stopping.delete(stopping));
    return stopping;
  }

  /** What makes one server another one than the next: what is allowed of it does not. */
  #identityOf(config: McpServerConfig, cwd: string): string {
    const { name, transport, startupTimeoutMs } = config;
    const directory = transport.kind === 'stdio' ? (transport.cwd ?? cwd) : undefined;
    const identity = JSON.stringify([name, transport, startupTimeoutMs, directory]);
    return createHash('sha256').update(identity).digest('hex');
  }

  #watch(): Pick<ServerStart, 'mark' | 'watchdog' | 'onStart' | 'onGone'> {
    this.#starts += 1;
    const watchdog = this.#watchdog ?? new Watchdog({ token: this.#token, directory: this.#noDirectory() });
    this.#watchdog = watchdog;
    watchdog.start();
    return {
      mark: `${this.#token}.${this.#starts}`,
      watchdog,
      onStart: (groupId) => {
        this.#groups.add(groupId);
        watchdog.addGroup(groupId);
      },
      onGone: (groupId) => {
        this.#groups.delete(groupId);
        watchdog.removeGroup(groupId);
        // Nothing is left to watch over; the next server gets a new one.
        if (this.#groups.size === 0 && this.#watchdog === watchdog) {
          this.#watchdog = undefined;
          this.#stopping.add(this.#untilClosed(watchdog));
        }
      },
    };
  }

  #untilClosed(watchdog: Watchdog): Promise<void> {
    const closing = watchdog.close().finally(() => this.#stopping.delete(closing));
    return closing;
  }

  /** The watchdog removes a directory; the pool has none. */
  #noDirectory(): string {
    return join(tmpdir(), `quire-${this.#token}`);
  }
}

async function startLater(lease: LeasedServers, startAfter: Promise<unknown> | undefined): Promise<void> {
  // Behind the current task: nobody who acquires waits for a process to be started.
  if (startAfter === undefined) await new Promise((resolve) => setImmediate(resolve));
  else await startAfter.catch(() => undefined);
  lease.start();
}
