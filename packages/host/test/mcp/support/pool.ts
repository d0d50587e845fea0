import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { McpHttpTransport, McpServerConfig, McpStdioTransport } from '@quire/core';
import { loadMcpPool, type McpLease, type McpPool, type McpPoolOptions } from '@quire/host';
import { createDialer } from '@quire/network';
import { eventually } from '../../support/processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FIXTURE = join(import.meta.dirname, 'stdio-server.mjs');

type Overrides = Partial<Omit<McpServerConfig, 'transport'>>;

const DEFAULTS = {
  enabled: true,
  required: false,
  startupTimeoutMs: undefined,
  toolTimeoutMs: undefined,
  enabledTools: undefined,
  disabledTools: undefined,
  approvalMode: undefined,
  toolApprovalModes: {},
  parallelToolCalls: undefined,
} as const;

/** A server that runs the fixture with a fault. */
export function stdioConfig(
  name: string,
  parts: { readonly fault?: string; readonly startsFile?: string } & Partial<McpStdioTransport> & Overrides = {},
): McpServerConfig {
  const { fault = 'none', startsFile = '', env, envVars = [], cwd, args, command, ...rest } = parts;
  return {
    ...DEFAULTS,
    name,
    transport: {
      kind: 'stdio',
      command: command ?? process.execPath,
      args: args ?? [FIXTURE, fault, startsFile],
      env,
      envVars,
      cwd,
    },
    ...rest,
  };
}

export function httpConfig(
  name: string,
  url: string,
  parts: Partial<Omit<McpHttpTransport, 'url' | 'kind'>> & Overrides = {},
): McpServerConfig {
  const { bearerTokenEnvVar, httpHeaders, envHttpHeaders, oauthClientId, oauthResource, scopes, ...rest } = parts;
  return {
    ...DEFAULTS,
    name,
    transport: {
      kind: 'streamable-http',
      url,
      bearerTokenEnvVar,
      httpHeaders,
      envHttpHeaders,
      oauthClientId,
      oauthResource,
      scopes,
    },
    ...rest,
  };
}

export interface TestPool extends AsyncDisposable {
  readonly pool: McpPool;
  readonly directory: string;
  readonly notices: string[];
  /** A file that the fixture writes its starts into. */
  readonly startsFile: string;
  /** Lines of that file. */
  starts(): readonly string[];
  acquire(...servers: readonly McpServerConfig[]): McpLease;
}

/** A pool with a folder of its own that is closed when the test leaves its block. */
export async function openPool(options: Partial<McpPoolOptions> = {}): Promise<TestPool> {
  const folder = await temporaryDirectory();
  const dialer = createDialer({ environment: {} });
  const pool = (await loadMcpPool())({
    environment: { PATH: process.env['PATH'], HOME: folder.path },
    home: folder.path,
    clientInfo: { name: 'quire-test', version: '0' },
    loadDialer: () => dialer,
    ...options,
  });
  const notices: string[] = [];
  const startsFile = join(folder.path, 'starts');
  return {
    pool,
    directory: folder.path,
    notices,
    startsFile,
    starts: () => linesOf(startsFile),
    acquire: (...servers) => pool.acquire({ servers, cwd: folder.path, onNotice: (notice) => notices.push(notice) }),
    [Symbol.asyncDispose]: async () => {
      await pool.close();
      dialer.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } catch {
    return []; // nothing started yet
  }
}

export const NEVER = new AbortController().signal;

/** Waits until all servers of the lease are ready or down. */
export async function settled(lease: McpLease): Promise<void> {
  const isSettled = (): boolean => lease.statuses.every(({ state }) => state === 'ready' || state === 'down');
  if (!(await eventually(isSettled, { withinMs: 20_000 }))) {
    throw new Error(`the servers did not settle: ${JSON.stringify(lease.statuses)}`);
  }
}

export function isAlive(pid: string | number | undefined): boolean {
  try {
    return !/^\S+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
