import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { waitFor } from '../process/abort.ts';
import { killGroup, killMarkedProcesses, OWNER_VARIABLE } from '../process/marked-processes.ts';
import type { Watchdog } from '../process/watchdog.ts';
import { startReason } from '../system-reason.ts';
import { LastLines } from './last-lines.ts';
import { McpError } from './mcp-error.ts';

export interface ServerStart {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Names of variables whose values no message repeats. */
  readonly secretVariables: readonly string[];
  /** Value of the variable by which its whole tree is found. */
  readonly mark: string;
  readonly watchdog: Pick<Watchdog, 'marked'>;
  /** Called the moment the process exists. */
  readonly onStart: (groupId: number) => void;
  /** Called when nothing of it is left. */
  readonly onGone: (groupId: number) => void;
}

/** The system may be slow to let go of what was killed. */
const DEATH_WAIT_MS = 500;

/**
 * A program in a session of its own, spoken to over its standard input and output. It does not keep this process
 * alive.
 */
export class ServerProcess {
  readonly stdin: NonNullable<ChildProcess['stdin']>;
  readonly stdout: NonNullable<ChildProcess['stdout']>;
  /** Resolves, never rejects, with how it ended, such as `exit code 1`. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #groupId: number;
  readonly #start: ServerStart;
  readonly #lastLines: LastLines;
  #stopped: Promise<void> | undefined;

  /** @throws McpError 'start-failed' */
  static async start(start: ServerStart): Promise<ServerProcess> {
    try {
      const { cwd } = start;
      const environment = { ...start.environment, [OWNER_VARIABLE]: start.mark };
      const [path, ...args] = await start.watchdog.marked([start.command, ...start.args], { cwd, environment });
      const child = spawn(path, args, {
        cwd,
        detached: true,
        env: environment,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      if (child.pid === undefined) {
        const [error]: unknown[] = await once(child, 'error'); // announced for the next tick
        throw error;
      }
      return new ServerProcess(child, child.pid, start);
    } catch (cause) {
      throw new McpError('start-failed', await explainFailure(start, cause), { cause });
    }
  }

  private constructor(child: ChildProcess, pid: number, start: ServerStart) {
    this.#child = child;
    this.#groupId = pid;
    this.#start = start;
    this.#lastLines = new LastLines(start.secretVariables.flatMap((name) => start.environment[name] ?? []));
    start.onStart(pid);
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) throw new TypeError('the pipes of a server are missing');
    this.stdin = stdin;
    this.stdout = stdout;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code === null ? `signal ${signal}` : `exit code ${code}`));
    });
    stderr.on('data', (chunk: Buffer) => this.#lastLines.append(chunk));
    for (const stream of [stdin, stdout, stderr]) {
      stream.on('error', () => undefined); // the exit says what happened
      if (stream instanceof Socket) stream.unref();
    }
    child.on('error', () => undefined);
    child.unref();
    void this.exited.then(() => this.#endTree());
  }

  /** The end of what it printed to standard error, on one line; empty when it printed nothing. */
  get lastWords(): string {
    return this.#lastLines.text;
  }

  /** Closes its input, gives it that long to end by itself, and kills what is left of its tree. Never rejects. */
  stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.stdin.end();
    const { signal } = new AbortController();
    if (graceMs > 0) await waitFor(this.exited, { timeoutMs: graceMs, signal });
    await this.#endTree();
    await waitFor(this.exited, { timeoutMs: DEATH_WAIT_MS, signal });
    this.stdout.destroy();
    this.stdin.destroy();
    this.#child.stderr?.destroy();
  }

  async #endTree(): Promise<void> {
    killGroup(this.#groupId);
    await killMarkedProcesses(`${OWNER_VARIABLE}=${this.#start.mark}\0`);
    this.#start.onGone(this.#groupId);
  }
}

/** The system says ENOENT of the directory and of the program alike. */
async function explainFailure(start: ServerStart, error: unknown): Promise<string> {
  const { name, command, cwd } = start;
  const directory = await stat(cwd).catch(() => undefined);
  if (directory?.isDirectory() !== true) {
    return `MCP server ${name}: its working directory ${cwd} can not be used; see mcp_servers.${name}.cwd`;
  }
  return `MCP server ${name}: ${command} could not be started (${startReason(error)}); see mcp_servers.${name}.command`;
}
