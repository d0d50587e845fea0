import { basename } from 'node:path';
import type { Command, ShellInfo } from '@quire/core';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Environment } from './login-shell.ts';
import type { Watchdog } from './watchdog.ts';

/** What is started in the end. */
export interface Launch {
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly extraFds: readonly number[];
  /** To be called once it ended, or was not started after all. */
  readonly release: () => void;
}

export type LaunchResult =
  | { readonly kind: 'ready'; readonly launch: Launch }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Puts a kernel sandbox around a command. */
export type CommandSandbox = Pick<Sandbox, 'wrap'>;

/** The argument vector that a command stands for. */
export function argvOf(command: Command, shell: ShellInfo): readonly string[] {
  if ('argv' in command) return command.argv;
  return [command.shell ?? shell.path, command.login ? '-lc' : '-c', command.script];
}

/** Whether the environment captured of the login shell of `shell` serves for `command`. */
export function usesLoginOf(shell: ShellInfo, command: Command): boolean {
  if ('argv' in command || !command.login) return false;
  const other = command.shell ?? shell.path;
  return other === shell.path || other === basename(shell.path);
}

/**
 * Never rejects, and never gives up the sandbox by itself.
 *
 * @param login the captured environment of a login shell, with which a plain one does as well
 * @param environment what every command inherits
 */
export async function prepareLaunch(
  command: Command,
  parts: {
    readonly shell: ShellInfo;
    readonly login: Environment | undefined;
    readonly environment: Environment;
    readonly own: Environment;
    readonly sandbox: () => Promise<CommandSandbox>;
    readonly watchdog: Pick<Watchdog, 'marked'>;
  },
): Promise<LaunchResult> {
  const [program = '', ...given] = argvOf(command, parts.shell);
  if (parts.login !== undefined) given[0] = '-c';
  const { confinement, cwd } = command;
  const environment = { ...(parts.login ?? parts.environment), ...command.environment, ...parts.own };
  const [path, ...args] = await parts.watchdog.marked([program, ...given], { cwd, environment });
  if (confinement.kind === 'none') {
    return { kind: 'ready', launch: { path, args, environment, extraFds: [], release: () => undefined } };
  }
  try {
    const sandbox = await parts.sandbox();
    const wrapped = await sandbox.wrap({ argv: [path, ...args], cwd, confinement, environment });
    return wrapped.kind === 'ready' ? { kind: 'ready', launch: wrapped } : wrapped;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: 'unavailable', reason: `the sandbox could not be set up (${detail}), so nothing was started` };
  }
}
