import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandOutcome, CommandRunner, ShellCommand, ShellInfo } from '@quire/core';
import { linkSignals, type WaitResult, waitFor } from './abort.ts';
import { captureLoginShell, type Environment } from './login-shell.ts';
import { findProcesses, groupExists, killGroup, killMarkedProcesses, OWNER_VARIABLE } from './marked-processes.ts';
import { OutputPipes, releasePipes } from './output-pipes.ts';
import { findUserShell } from './shell.ts';
import { type StartedCommand, startCommand } from './start-command.ts';
import { type SupervisedEnd, supervise } from './supervise.ts';
import { GRACE_MS, terminate } from './terminate.ts';
import { Watchdog } from './watchdog.ts';

export interface CommandRunnerOptions {
  /** What commands see as `CODEX_THREAD_ID`. */
  readonly threadId: string;
  /** What commands inherit. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Instead of the user's shell. */
  readonly shell?: ShellInfo;
}

type RunOptions = Parameters<CommandRunner['run']>[1];

/**
 * Runs commands in the user's shell, each leading a session of its own, with nothing to read on standard
 * input. Starts no process before `warmUp` or the first `run`, keeps the event loop alive only while a
 * command runs, and leaves no process behind: neither after `close` nor when this process dies.
 */
export function createCommandRunner(options: CommandRunnerOptions): CommandRunner {
  return new ShellCommandRunner(options);
}

class ShellCommandRunner implements CommandRunner {
  readonly shell: ShellInfo;
  readonly #environment: Environment;
  readonly #token = randomBytes(16).toString('hex');
  /** Made at the first need of it. The watchdog knows the name from the beginning. */
  readonly #privateDirectory = join(tmpdir(), `quire-${this.#token}`);
  readonly #watchdog = new Watchdog({ token: this.#token, directory: this.#privateDirectory });
  readonly #pipes: OutputPipes;
  readonly #closing = new AbortController();
  readonly #loginMark = `${this.#token}.0`;
  readonly #groups = new Set<number>();
  /** Those of `#groups` that login shells began: they get time to clean up. */
  readonly #loginGroups = new Set<number>();
  readonly #openStreams = new Set<Socket>();
  readonly #running = new Set<Promise<unknown>>();
  #commandCount = 0;
  #directoryCount = 0;
  #login: Promise<Environment | undefined> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: CommandRunnerOptions) {
    const environment = options.environment ?? process.env;
    this.shell = options.shell ?? findUserShell(environment);
    this.#environment = inheritedEnvironment(environment, options.threadId);
    this.#pipes = new OutputPipes({
      path: environment['PATH'],
      makeDirectory: () => this.#makePrivateDirectory(),
    });
  }

  argv(command: ShellCommand): readonly string[] {
    return [this.shell.path, command.login ? '-lc' : '-c', command.script];
  }

  warmUp(): void {
    if (this.#closed !== undefined) return;
    void this.#pipes.prepare();
    void this.#captureLogin();
  }

  run(command: ShellCommand, options: RunOptions): Promise<CommandOutcome> {
    const running = this.#run(command, options);
    this.#running.add(running);
    const forget = (): void => {
      this.#running.delete(running);
    };
    running.then(forget, forget);
    return running;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #run(command: ShellCommand, options: RunOptions): Promise<CommandOutcome> {
    using link = linkSignals([options.signal, this.#closing.signal]);
    const calledAt = performance.now();
    const ready = command.login ? await this.#awaitLogin(command, link.signal) : undefined;
    if (ready?.kind === 'timed-out') {
      return { end: { kind: 'timed-out' }, ...NOTHING_PRINTED, durationMs: performance.now() - calledAt };
    }
    const login = ready?.value;
    const pipes = await this.#pipes.acquirePair();
    const startedAt = performance.now();
    if (link.signal.aborted) {
      releasePipes(pipes);
      throw link.signal.reason;
    }
    this.#commandCount += 1;
    const mark = `${this.#token}.${this.#commandCount}`;
    const started = await startCommand({
      prepare: () => this.#watchdog.start(),
      onStart: (groupId) => {
        this.#groups.add(groupId);
        this.#watchdog.addGroup(groupId);
      },
      path: this.shell.path,
      args: [command.login && login === undefined ? '-lc' : '-c', command.script],
      cwd: command.cwd,
      environment: { ...(login ?? this.#environment), [OWNER_VARIABLE]: mark },
      pipes,
    });
    const end =
      started.kind === 'failed'
        ? { end: { kind: 'not-started', reason: started.reason } as const, ...NOTHING_PRINTED }
        : await this.#follow(started, { command, mark, signal: link.signal, onOutput: options.onOutput });
    return { ...end, durationMs: performance.now() - startedAt };
  }

  async #follow(
    started: StartedCommand,
    run: { command: ShellCommand; mark: string; signal: AbortSignal; onOutput: RunOptions['onOutput'] },
  ): Promise<SupervisedEnd> {
    const { child, groupId, streams } = started;
    for (const stream of streams) {
      this.#openStreams.add(stream);
      stream.once('close', () => this.#openStreams.delete(stream));
    }
    try {
      return await supervise({
        child,
        streams,
        timeoutMs: run.command.timeoutMs,
        signal: run.signal,
        onOutput: run.onOutput,
        killTree: () => {
          killGroup(groupId);
          return killMarkedProcesses(markerOf(run.mark));
        },
      });
    } finally {
      this.#forgetEmptyGroups();
    }
  }

  /** A group lives on as long as a child that a command left behind is in it. */
  #forgetEmptyGroups(): void {
    for (const groupId of this.#groups) {
      if (groupExists(groupId)) continue;
      this.#groups.delete(groupId);
      this.#loginGroups.delete(groupId);
      this.#watchdog.removeGroup(groupId);
    }
  }

  /** The first command may find the login shell still starting: its time limit bounds that wait too. */
  async #awaitLogin(command: ShellCommand, signal: AbortSignal): Promise<WaitResult<Environment | undefined>> {
    const captured = await waitFor(this.#captureLogin(), { timeoutMs: command.timeoutMs, signal });
    const statements = captured.kind === 'done' ? captured.value?.['BASH_ENV'] : undefined;
    return statements === undefined || existsSync(statements) ? captured : { kind: 'done', value: undefined };
  }

  #captureLogin(): Promise<Environment | undefined> {
    this.#login ??= captureLoginShell({
      prepare: () => this.#watchdog.start(),
      shell: this.shell,
      environment: { ...this.#environment, [OWNER_VARIABLE]: this.#loginMark },
      marker: markerOf(this.#loginMark),
      cwd: currentDirectory(),
      makePrivateDirectory: () => this.#makePrivateDirectory(),
      onStart: (groupId) => {
        this.#groups.add(groupId);
        this.#loginGroups.add(groupId);
        this.#watchdog.addGroup(groupId);
      },
      onEnd: () => this.#forgetEmptyGroups(),
      signal: this.#closing.signal,
    });
    return this.#login;
  }

  async #makePrivateDirectory(): Promise<string> {
    this.#watchdog.start();
    this.#directoryCount += 1;
    const directory = join(this.#privateDirectory, String(this.#directoryCount));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return directory;
  }

  /** What commands and the login shell left behind. Login shells may still be cleaning up in the background. */
  async #endLeftovers(graceEndsAt: number): Promise<void> {
    const ownMarker = `${OWNER_VARIABLE}=${this.#token}.`;
    this.#forgetEmptyGroups();
    const leftovers = await findProcesses({ groupIds: [...this.#groups], marker: ownMarker });
    if (leftovers.length === 0) return;
    for (const groupId of this.#groups) if (!this.#loginGroups.has(groupId)) killGroup(groupId);
    const login = { groupIds: [...this.#loginGroups], marker: markerOf(this.#loginMark) };
    await terminate(login, { graceMs: graceEndsAt - performance.now() });
    await killMarkedProcesses(ownMarker);
  }

  async #close(): Promise<void> {
    const graceEndsAt = performance.now() + GRACE_MS;
    this.#closing.abort(new Error('the command runner was closed'));
    await Promise.allSettled([...this.#running, this.#login]);
    if (this.#login !== undefined || this.#commandCount > 0) await this.#endLeftovers(graceEndsAt);
    for (const stream of this.#openStreams) stream.destroy();
    await this.#pipes.close();
    if (this.#directoryCount > 0) await rm(this.#privateDirectory, { recursive: true, force: true });
    await this.#watchdog.close();
  }
}

const NOTHING_PRINTED = { output: '', omittedBytes: 0, totalLines: 0 };

/** What the environment of a process with this mark contains, and of no other. */
function markerOf(mark: string): string {
  return `${OWNER_VARIABLE}=${mark}\0`;
}

function inheritedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  threadId: string,
): Environment {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined) inherited[name] = value;
  }
  inherited['CODEX_THREAD_ID'] = threadId;
  return inherited;
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/'; // it was removed
  }
}
