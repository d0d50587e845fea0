import type { Socket } from 'node:net';
import type { Command, ShellInfo } from '@quire/core';
import { findHiddenProcesses, type HiddenTree } from './hidden-processes.ts';
import { type CommandSandbox, prepareLaunch } from './launch.ts';
import type { Environment } from './login-shell.ts';
import { killGroup, killMarkedProcesses, markerOf, OWNER_VARIABLE, sendSignal } from './marked-processes.ts';
import type { ProcessGroups } from './process-groups.ts';
import { type CommandStart, releaseOutput, type StartedCommand, startCommand, streamNamesOf } from './start-command.ts';
import type { Watchdog } from './watchdog.ts';

export interface RunningCommand extends StartedCommand {
  /** Kills the whole tree; resolves when it has looked for members that left the group. */
  killTree(): Promise<void>;
  /** To be called once it ended. */
  readonly release: () => void;
}

export type RunningCommandStart = RunningCommand | { readonly kind: 'failed'; readonly reason: string };

interface StarterParts {
  readonly shell: ShellInfo;
  /** What every command inherits. */
  readonly environment: Environment;
  /** Tells the processes of this runner from all others. */
  readonly token: string;
  readonly watchdog: Watchdog;
  readonly groups: ProcessGroups;
  /** Default: the one of the system, loaded with the first confined command. */
  readonly sandbox?: CommandSandbox;
}

/** Starts commands such that each, with all that it starts, can be found and ended. */
export class CommandStarter {
  readonly #parts: StarterParts;
  readonly #openStreams = new Set<Socket>();
  #sandbox: Promise<CommandSandbox> | undefined;
  #count = 0;

  constructor(parts: StarterParts) {
    this.#parts = parts;
    if (parts.sandbox !== undefined) this.#sandbox = Promise.resolve(parts.sandbox);
  }

  get hasStarted(): boolean {
    return this.#count > 0;
  }

  /** Rejects with the reason of `signal` when that fired before anything was started. */
  async start(
    command: Command,
    options: {
      readonly login: Environment | undefined;
      /** Given away, whatever the result. */
      readonly output: CommandStart['output'];
      readonly signal: AbortSignal;
    },
  ): Promise<RunningCommandStart> {
    const { login, output, signal } = options;
    const { shell, environment, token, watchdog, groups } = this.#parts;
    this.#count += 1;
    const mark = `${token}.${this.#count}`;
    const own = { [OWNER_VARIABLE]: mark };
    const sandbox = (): Promise<CommandSandbox> => this.#loadSandbox();
    const result = await prepareLaunch(command, { shell, login, environment, own, sandbox, watchdog });
    if (result.kind === 'unavailable') {
      releaseOutput(output);
      return { kind: 'failed', reason: result.reason };
    }
    const { launch } = result;
    if (signal.aborted) {
      releaseOutput(output);
      launch.release();
      throw signal.reason;
    }
    const streamNames = streamNamesOf(output);
    const started = await startCommand({
      ...launch,
      prepare: () => watchdog.start(),
      onStart: (groupId) => groups.add(groupId),
      cwd: command.cwd,
      output,
    });
    if (started.kind === 'failed') {
      launch.release();
      return started;
    }
    this.#keepStreams(started.streams);
    const { groupId, streams } = started;
    const killTree = async (): Promise<void> => {
      // What ended may have given its pipes and its number away: others have them now.
      const groupIds = groups.has(groupId) ? [groupId] : [];
      const isOwnStream = (name: string): boolean => streams[streamNames.indexOf(name)]?.destroyed === false;
      await killProcesses({ groupIds, isOwnStream, mark });
    };
    return { ...started, release: launch.release, killTree };
  }

  /** Whatever a leftover child still holds. */
  destroyStreams(): void {
    for (const stream of this.#openStreams) stream.destroy();
  }

  #keepStreams(streams: readonly Socket[]): void {
    for (const stream of streams) {
      this.#openStreams.add(stream);
      stream.once('close', () => this.#openStreams.delete(stream));
    }
  }

  #loadSandbox(): Promise<CommandSandbox> {
    this.#sandbox ??= import('../sandbox/create-sandbox.ts').then(({ createSandbox }) => createSandbox());
    return this.#sandbox;
  }
}

async function killProcesses({ mark, ...tree }: HiddenTree & { readonly mark: string }): Promise<void> {
  const hidden = await findHiddenProcesses(tree);
  for (const groupId of tree.groupIds) killGroup(groupId);
  for (const pid of hidden) sendSignal(pid, 'SIGKILL');
  await killMarkedProcesses(markerOf(mark));
}
