import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { systemErrorCode } from '@quire/files';
import { startReason, systemReason } from '../system-reason.ts';
import { nameOfDescriptor } from './hidden-processes.ts';
import type { Environment } from './login-shell.ts';
import { type OutputPipe, releasePipes } from './output-pipes.ts';
import { type Terminal, withoutTerminals } from './terminal.ts';

export interface CommandStart {
  /** Called first; what it throws counts as a failure to start. */
  readonly prepare: () => void;
  /** Called the moment the process exists, with its group, before anything else is done. */
  readonly onStart: (groupId: number) => void;
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Environment;
  /** What the program finds as its descriptors from 3 on. */
  readonly extraFds?: readonly number[];
  /** Given away: closed or in use afterwards, whatever the result. */
  readonly output: readonly [OutputPipe, OutputPipe] | Terminal | undefined;
}

export interface StartedCommand {
  readonly kind: 'started';
  readonly child: ChildProcess;
  /** The child leads this process group, and a session. */
  readonly groupId: number;
  /** Standard output and standard error, or the terminal. */
  readonly streams: readonly Socket[];
}

export type CommandStartResult = StartedCommand | { readonly kind: 'failed'; readonly reason: string };

/** A leader of a session that opens a terminal gets it as its controlling one. */
const TAKE_TERMINAL = ': <"$1"; shift; exec "$@"';

/** Starts a program on a terminal, or with nothing to read on standard input. Never rejects. */
export async function startCommand(start: CommandStart): Promise<CommandStartResult> {
  const { output } = start;
  try {
    start.prepare();
    const child = isTerminal(output) ? spawnOnTerminal(start, output) : spawnOnPipes(start, output);
    if (child.pid === undefined) {
      const [error]: unknown[] = await once(child, 'error'); // announced for the next tick
      throw error;
    }
    start.onStart(child.pid);
    return { kind: 'started', child, groupId: child.pid, streams: takeStreams(child, output) };
  } catch (error) {
    releaseOutput(output);
    return { kind: 'failed', reason: await explainFailure(start, error) };
  }
}

/** For pipes or a terminal that were opened and never handed to a child. */
export function releaseOutput(output: CommandStart['output']): void {
  if (!isTerminal(output)) {
    releasePipes(output);
    return;
  }
  closeSync(output.slaveFd);
  output.master.destroy();
}

/** What the system calls what the program will print to; empty where the system has no such names. */
export function streamNamesOf(output: CommandStart['output']): readonly string[] {
  if (isTerminal(output)) return [output.name];
  return (output ?? []).flatMap(({ writerFd }) => nameOfDescriptor(`/proc/self/fd/${writerFd}`) ?? []);
}

function isTerminal(output: CommandStart['output']): output is Terminal {
  return output !== undefined && 'master' in output;
}

function spawnOnTerminal(start: CommandStart, { slaveFd, name }: Terminal): ChildProcess {
  const args = ['-c', TAKE_TERMINAL, 'quire-terminal', name, start.path, ...start.args];
  return spawnDetached({ ...start, path: '/bin/sh', args }, [slaveFd, slaveFd, slaveFd]);
}

function spawnOnPipes(start: CommandStart, pipes: readonly [OutputPipe, OutputPipe] | undefined): ChildProcess {
  const [stdout, stderr] = pipes ?? [];
  return spawnDetached(start, ['ignore', stdout?.writerFd ?? 'pipe', stderr?.writerFd ?? 'pipe']);
}

function spawnDetached(start: CommandStart, stdio: readonly (number | 'ignore' | 'pipe')[]): ChildProcess {
  return withoutTerminals([...stdio, ...(start.extraFds ?? [])], (withoutOthers) =>
    spawn(start.path, start.args, {
      cwd: start.cwd,
      detached: true,
      env: start.environment,
      stdio: withoutOthers,
    }),
  );
}

function takeStreams(child: ChildProcess, output: CommandStart['output']): readonly Socket[] {
  if (isTerminal(output)) {
    closeSync(output.slaveFd);
    return [output.master];
  }
  for (const pipe of output ?? []) closeSync(pipe.writerFd);
  const [stdout, stderr] = output ?? [];
  return [stdout?.reader ?? child.stdout, stderr?.reader ?? child.stderr] as readonly Socket[];
}

/** The system says ENOENT of the directory and of the program alike, so it is asked which of them it means. */
async function explainFailure(start: CommandStart, error: unknown): Promise<string> {
  const directory = await stat(start.cwd).catch((cause: unknown) => systemReason(cause));
  if (typeof directory === 'string') return `the working directory ${start.cwd} can not be used (${directory})`;
  if (!directory.isDirectory()) return `the working directory ${start.cwd} is not a directory`;
  if (start.args.some((arg) => arg.includes('\0'))) return 'the command contains a NUL character, which no shell takes';
  if (systemErrorCode(error) === 'E2BIG') {
    return 'the command is longer than the system allows; put the long part into a file and run that';
  }
  return `the program ${start.path} could not be started (${startReason(error)})`;
}
