import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Command,
  CommandEnd,
  CommandOutcome,
  CommandRunner,
  SessionReading,
  SessionWriting,
  ShellInfo,
} from '@quire/core';
import { readSetupFault } from '../sandbox/setup-fault.ts';
import { linkSignals, type WaitResult, waitFor } from './abort.ts';
import { CommandSession } from './command-session.ts';
import { CommandSessions } from './command-sessions.ts';
import { CommandStarter, type RunningCommandStart } from './command-starter.ts';
import { findHiddenProcesses } from './hidden-processes.ts';
import { argvOf, type CommandSandbox, usesLoginOf } from './launch.ts';
import { captureLoginShell, type Environment, stateFileOf } from './login-shell.ts';
import { findProcesses, killMarkedProcesses, markerOf, OWNER_VARIABLE, sendSignal } from './marked-processes.ts';
import { OutputPipes } from './output-pipes.ts';
import { ProcessGroups } from './process-groups.ts';
import { findUserShell } from './shell.ts';
import { supervise } from './supervise.ts';
import { openTerminal } from './terminal.ts';
import { GRACE_MS, terminate } from './terminate.ts';
import { Watchdog } from './watchdog.ts';

export interface CommandRunnerOptions {
  /** What commands see as `CODEX_THREAD_ID`. */
  readonly threadId: string;
  /** What commands inherit. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where this program finds those that it needs itself. Default: the `PATH` of `environment`. */
  readonly searchPath?: string | undefined;
  /** Instead of the user's shell. */
  readonly shell?: ShellInfo;
  /** What commands that ask for a login shell get. Default: everything, and most commands ask. */
  readonly loginShell?: {
    /** False: it is not started before a command asks for it. */
    readonly isUsual: boolean;
    /** What commands get of the variables that startup files left. Holds where those are captured. Must not throw. */
    readonly limit: (exported: Environment) => Readonly<Record<string, string | undefined>>;
  };
  /** What confines commands. Default: the one of the system, probed at the first confined command. */
  readonly sandbox?: CommandSandbox;
}

type BoundedCommand = Parameters<CommandRunner['run']>[0];
type RunOptions = Parameters<CommandRunner['run']>[1];
type SessionCommand = Parameters<CommandRunner['openSession']>[0];
type SessionLook = Parameters<CommandRunner['openSession']>[1];
type SessionInput = Parameters<CommandRunner['writeSession']>[1];

/** How long a session waits for the login shell before each command gets its own. */
const LOGIN_WAIT_MS = 10_000;

/**
 * Runs commands, each leading a session of its own. Starts no process before `warmUp` or the first command, keeps
 * the event loop alive only while one runs or a session is looked at, and leaves no process behind: neither after
 * `close` nor when this process dies.
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
  readonly #groups = new ProcessGroups(this.#watchdog);
  readonly #pipes: OutputPipes;
  readonly #starter: CommandStarter;
  readonly #sessions = new CommandSessions();
  readonly #threadId: string;
  readonly #loginShell: CommandRunnerOptions['loginShell'];
  readonly #closing = new AbortController();
  readonly #loginMark = `${this.#token}.0`;
  readonly #running = new Set<Promise<unknown>>();
  #directoryCount = 0;
  #login: Promise<Environment | undefined> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: CommandRunnerOptions) {
    const environment = options.environment ?? process.env;
    this.shell = options.shell ?? findUserShell(environment);
    this.#environment = inheritedEnvironment(environment, options.threadId);
    this.#loginShell = options.loginShell;
    this.#threadId = options.threadId;
    this.#starter = new CommandStarter({
      shell: this.shell,
      environment: this.#environment,
      token: this.#token,
      watchdog: this.#watchdog,
      groups: this.#groups,
      ...(options.sandbox === undefined ? {} : { sandbox: options.sandbox }),
    });
    this.#pipes = new OutputPipes({
      path: options.searchPath ?? environment['PATH'],
      makeDirectory: () => this.#makePrivateDirectory(),
    });
  }

  argv(command: Command): readonly string[] {
    return argvOf(command, this.shell);
  }

  warmUp(): void {
    if (this.#closed !== undefined) return;
    void this.#pipes.prepare();
    if (this.#loginShell?.isUsual !== false) void this.#captureLogin();
  }

  run(command: BoundedCommand, options: RunOptions): Promise<CommandOutcome> {
    return this.#whileRunning(this.#run(command, options));
  }

  openSession(command: SessionCommand, look: SessionLook): Promise<SessionReading> {
    return this.#whileRunning(this.#openConfined(command, look));
  }

  async writeSession(sessionId: number, look: SessionInput): Promise<SessionWriting> {
    this.#closing.signal.throwIfAborted();
    const session = this.#sessions.find(sessionId);
    if (session === undefined) return { kind: 'unknown-session' };
    if (look.text !== '') {
      if (!session.isTerminal) return { kind: 'input-closed' };
      session.write(look.text);
    }
    return { kind: 'read', reading: await this.#whileRunning(this.#look(session, look)) };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #whileRunning<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    const forget = (): void => {
      this.#running.delete(running);
    };
    running.then(forget, forget);
    return running;
  }

  /** A folder that another process held for the sandbox may vanish while it is set up: that is worth a second try. */
  async #run(command: BoundedCommand, options: RunOptions): Promise<CommandOutcome> {
    const first = await this.#runOnce(command, options);
    if (setupFaultOf(command, first) === undefined) return first;
    const second = await this.#runOnce(command, options);
    const fault = setupFaultOf(command, second);
    return fault === undefined ? second : { ...second, ...NOTHING_PRINTED, end: notConfined(fault) };
  }

  async #runOnce(command: BoundedCommand, options: RunOptions): Promise<CommandOutcome> {
    using link = linkSignals([options.signal, this.#closing.signal]);
    const { signal } = link;
    const calledAt = performance.now();
    const ready = await this.#awaitLogin(command, { timeoutMs: command.timeoutMs, signal });
    if (ready.kind === 'timed-out') {
      return { end: { kind: 'timed-out' }, ...NOTHING_PRINTED, durationMs: performance.now() - calledAt };
    }
    const output = await this.#pipes.acquirePair();
    const startedAt = performance.now();
    const started = await this.#starter.start(command, { login: ready.value, output, signal });
    if (started.kind === 'failed') {
      const end = { kind: 'not-started', reason: started.reason } as const;
      return { end, ...NOTHING_PRINTED, durationMs: performance.now() - startedAt };
    }
    try {
      const end = await supervise({
        ...started,
        timeoutMs: command.timeoutMs,
        signal,
        onOutput: options.onOutput,
      });
      return { ...end, durationMs: performance.now() - startedAt };
    } finally {
      started.release();
      this.#groups.forgetEmpty();
    }
  }

  async #openConfined(command: SessionCommand, look: SessionLook): Promise<SessionReading> {
    const first = await this.#openSession(command, look);
    if (setupFaultOf(command, first) === undefined) return first;
    const second = await this.#openSession(command, look);
    const fault = setupFaultOf(command, second);
    return fault === undefined ? second : { ...second, output: '', omittedBytes: 0, end: notConfined(fault) };
  }

  async #openSession(command: SessionCommand, look: SessionLook): Promise<SessionReading> {
    using link = linkSignals([look.signal, this.#closing.signal]);
    const { signal } = link;
    const calledAt = performance.now();
    const id = this.#sessions.reserveId();
    try {
      const ready = await this.#awaitLogin(command, { timeoutMs: LOGIN_WAIT_MS, signal });
      const login = ready.kind === 'done' ? ready.value : undefined;
      const started = await this.#startSession(command, { login, signal });
      if (started.kind === 'failed') {
        const end = { kind: 'not-started', reason: started.reason } as const;
        return { sessionId: id, output: '', omittedBytes: 0, end, durationMs: performance.now() - calledAt };
      }
      const session = new CommandSession(started, {
        id,
        isTerminal: command.tty,
        killTree: () => started.killTree(),
        onEnd: () => {
          started.release();
          this.#groups.forgetEmpty();
        },
      });
      await this.#sessions.add(session);
      try {
        return await this.#look(session, { ...look, signal });
      } catch (error) {
        await session.kill();
        throw error;
      }
    } catch (error) {
      this.#sessions.forget(id);
      throw error;
    }
  }

  /** A session that ended is forgotten once that was told. */
  async #look(session: CommandSession, look: SessionLook): Promise<SessionReading> {
    using link = linkSignals([look.signal, this.#closing.signal]);
    const reading = await session.look({ ...look, signal: link.signal });
    if (reading.end !== undefined) this.#sessions.forget(session.id);
    return reading;
  }

  async #startSession(
    command: SessionCommand,
    options: { readonly login: Environment | undefined; readonly signal: AbortSignal },
  ): Promise<RunningCommandStart> {
    if (!command.tty) return this.#starter.start(command, { ...options, output: await this.#pipes.acquirePair() });
    const opening = await openTerminal();
    if (opening.kind === 'unavailable') return { kind: 'failed', reason: opening.reason };
    return this.#starter.start(command, { ...options, output: opening.terminal });
  }

  /** The first command may find the login shell still starting: its time limit bounds that wait too. */
  async #awaitLogin(
    command: Command,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<WaitResult<Environment | undefined>> {
    if (!usesLoginOf(this.shell, command)) return { kind: 'done', value: undefined };
    const captured = await waitFor(this.#captureLogin(), limits);
    const login = captured.kind === 'done' ? captured.value : undefined;
    const statements = login === undefined ? undefined : stateFileOf(login);
    return statements === undefined || existsSync(statements) ? captured : { kind: 'done', value: undefined };
  }

  #captureLogin(): Promise<Environment | undefined> {
    const limit = this.#loginShell?.limit;
    this.#login ??= captureLoginShell({
      prepare: () => this.#watchdog.start(),
      shell: this.shell,
      environment: { ...this.#environment, [OWNER_VARIABLE]: this.#loginMark },
      marker: markerOf(this.#loginMark),
      cwd: currentDirectory(),
      makePrivateDirectory: () => this.#makePrivateDirectory(),
      onStart: (groupId) => this.#groups.addLogin(groupId),
      onEnd: () => this.#groups.forgetEmpty(),
      ...(limit === undefined ? {} : { limit: (exported) => inheritedEnvironment(limit(exported), this.#threadId) }),
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
    this.#groups.forgetEmpty();
    const leftovers = await findProcesses({ groupIds: this.#groups.all, marker: ownMarker });
    const commands = this.#groups.all.filter((groupId) => !this.#groups.login.includes(groupId));
    const isOwnStream = (name: string): boolean => name.startsWith(`${this.#privateDirectory}/`);
    const hidden = await findHiddenProcesses({ groupIds: commands, isOwnStream });
    if (leftovers.length + hidden.length === 0) return;
    this.#groups.killAllButLogin();
    for (const pid of hidden) sendSignal(pid, 'SIGKILL');
    const login = { groupIds: this.#groups.login, marker: markerOf(this.#loginMark) };
    await terminate(login, { graceMs: graceEndsAt - performance.now() });
    await killMarkedProcesses(ownMarker);
  }

  async #close(): Promise<void> {
    const graceEndsAt = performance.now() + GRACE_MS;
    this.#closing.abort(new Error('the command runner was closed'));
    await Promise.allSettled([...this.#running, this.#login]);
    await this.#sessions.close();
    if (this.#login !== undefined || this.#starter.hasStarted) await this.#endLeftovers(graceEndsAt);
    this.#starter.destroyStreams();
    await this.#pipes.close();
    if (this.#directoryCount > 0) await rm(this.#privateDirectory, { recursive: true, force: true });
    await this.#watchdog.close();
  }
}

const NOTHING_PRINTED = { output: '', omittedBytes: 0, totalLines: 0 };

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

function setupFaultOf(
  command: Command,
  { end, output }: { readonly end: CommandEnd | undefined; readonly output: string },
): string | undefined {
  if (command.confinement.kind === 'none' || end?.kind !== 'exited') return undefined;
  return readSetupFault({ exitCode: end.exitCode, output });
}

function notConfined(fault: string): CommandEnd {
  return { kind: 'not-started', reason: `the sandbox could not be set up, so nothing ran (${fault})` };
}
