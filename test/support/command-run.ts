import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { isJsonObject, type JsonObject } from '@quire/protocol';
import type { InstalledCommand } from './installed-command.ts';
import { MARK_VARIABLE, markedProcesses } from './processes.ts';
import type { Workspace } from './workspace.ts';

export interface RunOptions {
  readonly command: InstalledCommand;
  readonly workspace: Workspace;
  /** Which command of `quire` runs; `exec` by default. */
  readonly name?: string;
  /** Behind the command and the options that point it to the provider. */
  readonly argv: readonly string[];
  /** The provider's base URL; without one only `argv` says where to go. */
  readonly url?: string | undefined;
  /** More of the provider's settings, such as `stream_max_retries=0`. */
  readonly provider?: readonly string[];
  readonly stdin?: 'ignore' | 'pipe' | number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Takes nothing from stdout until `readStdout` is called. */
  readonly leaveStdout?: boolean;
  /** Longest life of the process, in milliseconds; then it is killed and `ended` tells so. */
  readonly timeoutMs?: number;
  /** Instead of running Node on the command: a program that runs it, with the command line behind its arguments. */
  readonly wrapper?: (commandLine: readonly string[]) => readonly [string, ...string[]];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the last output to the exit, in milliseconds. */
  readonly lingeredMs: number;
  /** From the start to the exit, in milliseconds. */
  readonly tookMs: number;
}

const DEFAULT_TIMEOUT_MS = 25_000;

/** A command as a real process, whose output is gathered and can be waited for. */
export class CommandRun implements AsyncDisposable {
  readonly child: ChildProcess;
  /** In the environment of the process and of everything it starts. */
  readonly mark = randomUUID();
  /** Resolves when the process is gone and its output was read; with `leaveStdout`, when the process is gone. */
  readonly ended: Promise<Ended>;
  #stdout = '';
  #stderr = '';
  #lastOutputAt = performance.now();
  readonly #checks = new Set<() => void>();

  constructor(options: RunOptions) {
    const startedAt = performance.now();
    const [program, ...args] = commandLineOf(options);
    const spawnOptions: SpawnOptions = {
      cwd: options.workspace.project,
      env: this.#environment(options),
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    };
    this.child = spawn(program, args, spawnOptions);
    this.child.stdin?.on('error', () => undefined); // a process that ends early takes no more
    if (options.leaveStdout !== true) this.readStdout();
    this.#gather(this.child.stderr, (text) => {
      this.#stderr += text;
    });
    let exitedAt = 0;
    this.child.once('exit', () => {
      exitedAt = performance.now();
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once(options.leaveStdout === true ? 'exit' : 'close', (code, signal) => {
        const [lingeredMs, tookMs] = [Math.max(0, exitedAt - this.#lastOutputAt), exitedAt - startedAt];
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr, lingeredMs, tookMs });
      });
    });
  }

  readStdout(): void {
    this.#gather(this.child.stdout, (text) => {
      this.#stdout += text;
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when stdout or stderr holds `text`; rejects when the process ended without it. */
  async saw(text: string): Promise<void> {
    const isSeen = (): boolean => this.#stdout.includes(text) || this.#stderr.includes(text);
    let check = (): void => undefined;
    const seen = new Promise<void>((resolve) => {
      check = () => {
        if (isSeen()) resolve();
      };
      this.#checks.add(check);
      check();
    });
    const early = this.ended.then((ended) => {
      if (!isSeen()) throw new Error(`ended without ${JSON.stringify(text)}: ${JSON.stringify(ended)}`);
    });
    try {
      await Promise.race([seen, early]);
    } finally {
      this.#checks.delete(check);
    }
  }

  /** Kills what the test left over. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      this.child.stdout?.resume();
      await this.ended;
    }
    this.child.stdout?.destroy();
    for (const { pid } of markedProcesses(this.mark)) killIfAlive(pid);
  }

  #environment({ workspace, environment }: RunOptions): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HOME: workspace.root,
      SHELL: '/bin/sh',
      TMPDIR: workspace.root,
      QUIRE_HOME: workspace.home,
      [MARK_VARIABLE]: this.mark,
      ...environment,
    };
  }

  #gather(stream: Readable | null, add: (text: string) => void): void {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      add(text);
      this.#lastOutputAt = performance.now();
      for (const check of [...this.#checks]) check();
    });
  }
}

/** Runs the command to its end. */
export async function runCommand(options: RunOptions): Promise<Ended> {
  await using run = new CommandRun(options);
  return await run.ended;
}

/** The events on a stdout of `--json`. Throws for a line that is not a JSON object, and for a torn last one. */
export function parseEvents(stdout: string): readonly JsonObject[] {
  const lines = stdout.split('\n');
  const rest = lines.pop();
  if (rest !== '') throw new Error(`the last line is torn: ${rest}`);
  return lines.map((line) => {
    const event: unknown = JSON.parse(line);
    if (!isJsonObject(event)) throw new Error(`no JSON object: ${line}`);
    return event;
  });
}

/** Types of the events, in order. */
export function eventTypes(stdout: string): readonly string[] {
  return parseEvents(stdout).map((event) => String(event['type']));
}

function commandLineOf({
  command,
  name = 'exec',
  url,
  provider = [],
  argv,
  wrapper,
}: RunOptions): readonly [string, ...string[]] {
  const settings =
    url === undefined ? [] : ['model_provider=mock', ...[`base_url=${url}`, 'name=mock', ...provider].map(ofProvider)];
  const overrides = settings.flatMap((setting) => ['-c', setting]);
  const line = [process.execPath, command.path, name, ...overrides, ...argv] as const;
  return wrapper === undefined ? [...line] : wrapper(line);
}

/** One that was found may have ended meanwhile. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function ofProvider(setting: string): string {
  return `model_providers.mock.${setting}`;
}
