import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { ShellInfo } from '@quire/core';
import { linkSignals } from './abort.ts';
import {
  BASH,
  END_OF_STATE,
  isSameState,
  type LoginDialect,
  parseState,
  type ShellState,
} from './login-shell-state.ts';
import { terminate } from './terminate.ts';

const CAPTURE_TIMEOUT_MS = 10_000;
/** How long to read on after the shell exited: something from a startup file may hold the pipe. */
const DRAIN_MS = 200;
const MAX_STATE_BYTES = 16 * 1024 * 1024;

export type Environment = Readonly<Record<string, string>>;

export interface LoginShellOptions {
  /** Called before the first process is started. */
  readonly prepare: () => void;
  readonly shell: ShellInfo;
  /** What a login shell would be started with. */
  readonly environment: Environment;
  /** What in that environment tells its processes, and all that they start, from any others. */
  readonly marker: string;
  readonly cwd: string;
  /** Makes, at the first call, a directory that only this user can read. */
  readonly makePrivateDirectory: () => Promise<string>;
  /** Tells of each shell started here, by its process group. */
  readonly onStart: (groupId: number) => void;
  readonly onEnd: () => void;
  /** What commands get of the variables that startup files left. Must not throw. Default: all. */
  readonly limit?: (exported: Environment) => Environment;
  /** Longest time a login shell may take to start before each command gets its own. Default: ten seconds. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Starts the user's login shell once and returns the environment with which `SHELL -c` then behaves as
 * `SHELL -lc` would, or `undefined` when there is none and each command has to start a login shell.
 *
 * Carried over: exported variables and functions (environment); other functions, variables, aliases,
 * options, traps and the umask (statements in a private file that the shell reads first, and that leave no
 * trace of it). It is checked, not assumed: a second shell started that way must report
 * the very state of the first. Not carried, so that each command starts a login shell: a changed
 * directory or resource limit, startup files that end the shell or need more than ten seconds. Not seen:
 * what is run when a login shell ends, and startup files that answer differently each time.
 * Only bash and zsh can report all of their state, so for other shells there is never a result. A capture
 * under way does not keep the process alive. One that has to end early gives its processes time to clean up:
 * it settles when they are gone.
 */
export async function captureLoginShell(options: LoginShellOptions): Promise<Environment | undefined> {
  const dialect = await dialectOf(options.shell);
  if (dialect === undefined) return undefined;
  const tooSlow = new AbortController();
  const timer = setTimeout(() => tooSlow.abort(), options.timeoutMs ?? CAPTURE_TIMEOUT_MS).unref();
  using link = linkSignals([options.signal, tooSlow.signal]);
  const { signal } = link;
  try {
    options.prepare();
    const reading = { dialect, signal };
    const login = await readState(options, { ...reading, flag: '-lc', environment: options.environment });
    if (login === undefined) return undefined;
    const environment = carriedEnvironment(login, { base: options.environment, dialect });
    return await carry(options, { ...reading, login, environment });
  } catch {
    return undefined; // no private directory, a shell that can not be started: a command will tell
  } finally {
    clearTimeout(timer);
  }
}

/** The file with statements that an environment names, if it does. */
export function stateFileOf(environment: Environment): string | undefined {
  const directory = environment['ZDOTDIR'];
  return environment['BASH_ENV'] ?? (directory === undefined ? undefined : join(directory, '.zshenv'));
}

async function dialectOf({ name }: ShellInfo): Promise<LoginDialect | undefined> {
  if (name === 'bash') return BASH;
  return name === 'zsh' ? (await import('./zsh-login-state.ts')).ZSH : undefined;
}

interface Carried {
  readonly dialect: LoginDialect;
  readonly login: ShellState;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

async function carry(options: LoginShellOptions, carried: Carried): Promise<Environment | undefined> {
  const { dialect, login, environment, signal } = carried;
  const { limit } = options;
  const { fileVariable, directoryVariable, fileName } = dialect;
  const isFileNeeded =
    directoryVariable !== undefined || (fileVariable !== undefined && login.environment.has(fileVariable));
  const directory = isFileNeeded ? await options.makePrivateDirectory() : undefined;
  const start = { dialect, signal, flag: '-c' };
  const named = directoryVariable === undefined ? {} : { [directoryVariable]: directory ?? '' };
  const plain = await readState(options, { ...start, environment: { ...environment, ...named } });
  if (plain === undefined) return undefined;
  if (!isFileNeeded && isSameState(login, plain, dialect)) {
    return limit === undefined ? environment : limit(environment);
  }
  const path = join(directory ?? (await options.makePrivateDirectory()), fileName);
  if (!/^[\w./+-]+$/.test(path)) return undefined; // bash expands the value of BASH_ENV
  await writeFile(path, dialect.statementsBetween(plain, login), { mode: 0o600 });
  const withFile = { ...environment, ...named, ...(fileVariable === undefined ? {} : { [fileVariable]: path }) };
  const restored = await readState(options, { ...start, environment: withFile });
  if (restored === undefined || !isSameState(login, restored, dialect)) return undefined;
  if (limit === undefined) return withFile;
  const limited = limit(environment);
  const changed = Object.keys(environment).filter((name) => limited[name] !== environment[name]);
  const statements = dialect.statementsBetween(withoutVariables(plain, changed), {
    ...withoutVariables(login, changed),
    environment: new Map(Object.entries(limit(Object.fromEntries(login.environment)))),
  });
  await writeFile(path, statements, { mode: 0o600 });
  return { ...limited, ...named, ...(fileVariable === undefined ? {} : { [fileVariable]: path }) };
}

/** Declarations of exported variables, such as read-only ones, would bring them back. */
function withoutVariables(state: ShellState, names: readonly string[]): ShellState {
  const variables = new Map(state.variables);
  for (const name of names) variables.delete(name);
  return { ...state, variables };
}

function carriedEnvironment(
  login: ShellState,
  { base, dialect }: { readonly base: Environment; readonly dialect: LoginDialect },
): Environment {
  const environment: Record<string, string> = Object.fromEntries(login.environment);
  const ofFile = dialect.fileVariable ?? dialect.directoryVariable;
  for (const name of dialect.perProcessEnvironment) {
    delete environment[name];
    const original = base[name];
    if (original !== undefined && name !== ofFile) environment[name] = original;
  }
  return environment;
}

async function readState(
  options: LoginShellOptions,
  start: { dialect: LoginDialect; flag: string; environment: Environment; signal: AbortSignal },
): Promise<ShellState | undefined> {
  start.signal.throwIfAborted();
  const child = spawn(options.shell.path, [start.flag, start.dialect.printState], {
    cwd: options.cwd,
    detached: true,
    env: start.environment,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const pipe = child.stdio[3] as Socket; // what 'pipe' makes of every descriptor
  // Nobody may be waiting for this; whoever does keeps the process alive meanwhile.
  child.unref();
  pipe.unref();
  const groupId = child.pid;
  if (groupId !== undefined) options.onStart(groupId);
  let terminated: Promise<void> | undefined;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
    end = () => {
      terminated = terminate({ groupIds: groupId === undefined ? [] : [groupId], marker: options.marker });
      void terminated.then(() => {
        pipe.destroy(); // nothing else need keep this process alive until it is read to its end
        resolve(); // whether or not the system let go of the shell
      });
    };
  });
  start.signal.addEventListener('abort', end, { once: true });
  try {
    return parseState(await readAll(pipe, ended), start.dialect);
  } finally {
    start.signal.removeEventListener('abort', end);
    await terminated;
    options.onEnd();
  }
}

/** Reads until the end of the state or of the stream, whichever comes first, or shortly after `ended`. */
async function readAll(stream: Socket, ended: Promise<void>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_STATE_BYTES || chunk.subarray(-END_OF_STATE.length).toString('latin1') === END_OF_STATE)
        resolve();
    });
    stream.once('close', resolve);
    stream.once('error', () => resolve());
    void ended.then(() => {
      timer = setTimeout(resolve, DRAIN_MS).unref();
    });
  });
  clearTimeout(timer);
  stream.destroy();
  await ended;
  clearTimeout(timer);
  return Buffer.concat(chunks).toString('utf8');
}
