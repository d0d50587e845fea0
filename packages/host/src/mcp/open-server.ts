import type {
  ElicitationAnswer,
  ElicitationRequest,
  McpHttpTransport,
  McpServerConfig,
  McpStdioTransport,
} from '@quire/core';
import { waitFor } from '../process/abort.ts';
import { DRAIN_MS, STOP_GRACE_MS } from './limits.ts';
import { McpError } from './mcp-error.ts';
import type { ServerConnection } from './server-connection.ts';
import { serverEnvironment } from './server-environment.ts';
import { ServerProcess, type ServerStart } from './server-process.ts';

export interface OpenOrder {
  readonly config: McpServerConfig;
  /** Absolute; for a server that has no directory of its own. */
  readonly cwd: string;
  readonly onToolsChanged: () => void;
  readonly onElicit: (request: ElicitationRequest, signal: AbortSignal) => Promise<ElicitationAnswer>;
  /** The server went away by itself. */
  readonly onClose: () => void;
  /** A sentence about the server, for a person. */
  readonly onNotice: (notice: string) => void;
  readonly signal: AbortSignal;
}

/** A server that was reached. */
export interface OpenedServer {
  readonly connection: ServerConnection;
  /** What there is to say of its end, once it went away. Never rejects. */
  explainEnd(): Promise<McpError>;
  /** Never rejects. */
  stop(): Promise<void>;
}

/** Rejects with McpError, or the reason of the signal; then nothing of the server is left. */
export type OpenServer = (order: OpenOrder) => Promise<OpenedServer>;

export interface ServerOpenerPorts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clientInfo: { readonly name: string; readonly version: string };
  /** Watches over a process that is about to start. */
  readonly watch: () => Pick<ServerStart, 'mark' | 'watchdog' | 'onStart' | 'onGone'>;
  readonly openHttp: (
    order: OpenOrder & { readonly http: McpHttpTransport },
    clientInfo: ServerOpenerPorts['clientInfo'],
  ) => Promise<OpenedServer>;
}

/** Starts or reaches servers. The client library is loaded with the first of them. */
export function createServerOpener(ports: ServerOpenerPorts): OpenServer {
  return (order) => {
    const { transport } = order.config;
    return transport.kind === 'stdio'
      ? openProcess({ ...order, stdio: transport }, ports)
      : ports.openHttp({ ...order, http: transport }, ports.clientInfo);
  };
}

async function openProcess(
  order: OpenOrder & { readonly stdio: McpStdioTransport },
  ports: ServerOpenerPorts,
): Promise<OpenedServer> {
  const { stdio, signal } = order;
  const { name } = order.config;
  signal.throwIfAborted();
  const process = await ServerProcess.start({
    name,
    command: stdio.command,
    args: stdio.args,
    cwd: stdio.cwd ?? order.cwd,
    environment: serverEnvironment(stdio, ports.environment),
    secretVariables: [...stdio.envVars, ...Object.keys(stdio.env ?? {})],
    ...ports.watch(),
  });
  let flooding: string | undefined;
  const explainEnd = (): Promise<McpError> => explainExit(name, process, flooding);
  try {
    // The program starts meanwhile.
    const [{ ServerConnection }, { StdioTransport }] = await Promise.all([
      import('./server-connection.ts'),
      import('./stdio-transport.ts'),
    ]);
    const transport = new StdioTransport(process, {
      onFlood: (what) => {
        flooding = what;
      },
      onGarbage: () =>
        order.onNotice(`MCP server ${name} prints to standard output what is no message; those lines are skipped`),
    });
    const { clientInfo } = ports;
    const connection = await ServerConnection.open({ ...order, name, transport, clientInfo });
    return { connection, explainEnd, stop: () => stopProcess(process, connection) };
  } catch (error) {
    const reason = error instanceof McpError && error.code === 'ended' ? await explainEnd() : error;
    await process.stop({ graceMs: 0 });
    throw reason;
  }
}

/** Its input is closed before the connection is: that is how a server is told. */
async function stopProcess(process: ServerProcess, connection: ServerConnection): Promise<void> {
  const stopped = process.stop({ graceMs: STOP_GRACE_MS });
  await connection.close();
  await stopped;
}

async function explainExit(name: string, process: ServerProcess, flooding: string | undefined): Promise<McpError> {
  if (flooding !== undefined) {
    return new McpError('flood', `MCP server ${name} ${flooding}, so it was ended`);
  }
  const exit = await waitFor(process.exited, { timeoutMs: DRAIN_MS, signal: new AbortController().signal });
  const how = exit.kind === 'done' ? `ended (${exit.value})` : 'closed its output';
  const words = process.lastWords === '' ? 'and printed nothing to standard error' : `: ${process.lastWords}`;
  return new McpError('ended', `MCP server ${name} ${how}${words.startsWith(':') ? words : ` ${words}`}`);
}
