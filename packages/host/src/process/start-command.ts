import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { systemCode, systemReason } from '../system-reason.ts';
import type { Environment } from './login-shell.ts';
import { type OutputPipe, releasePipes } from './output-pipes.ts';

export interface CommandStart {
  /** Called first; what it throws counts as a failure to start. */
  readonly prepare: () => void;
  /** Called the moment the process exists, with its group, before anything else is done. */
  readonly onStart: (groupId: number) => void;
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Environment;
  /** Given away: closed or in use afterwards, whatever the result. */
  readonly pipes: readonly [OutputPipe, OutputPipe] | undefined;
}

export interface StartedCommand {
  readonly kind: 'started';
  readonly child: ChildProcess;
  /** The child leads this process group, and a session. */
  readonly groupId: number;
  readonly streams: readonly [stdout: Socket, stderr: Socket];
}

export type CommandStartResult = StartedCommand | { readonly kind: 'failed'; readonly reason: string };

/** Starts a program with nothing to read on standard input. Never rejects. */
export async function startCommand(start: CommandStart): Promise<CommandStartResult> {
  try {
    start.prepare();
    const [stdout, stderr] = start.pipes ?? [];
    const child = spawn(start.path, start.args, {
      cwd: start.cwd,
      detached: true,
      env: start.environment,
      stdio: ['ignore', stdout?.writerFd ?? 'pipe', stderr?.writerFd ?? 'pipe'],
    });
    if (child.pid === undefined) {
      const [error]: unknown[] = await once(child, 'error'); // announced for the next tick
      throw error;
    }
    start.onStart(child.pid);
    for (const pipe of start.pipes ?? []) closeSync(pipe.writerFd);
    const streams = [stdout?.reader ?? child.stdout, stderr?.reader ?? child.stderr] as const;
    return { kind: 'started', child, groupId: child.pid, streams: streams as readonly [Socket, Socket] };
  } catch (error) {
    releasePipes(start.pipes);
    return { kind: 'failed', reason: await explainFailure(start, error) };
  }
}

/** The system says ENOENT of the directory and of the program alike, so it is asked which of them it means. */
async function explainFailure(start: CommandStart, error: unknown): Promise<string> {
  const directory = await stat(start.cwd).catch((cause: unknown) => systemReason(cause));
  if (typeof directory === 'string') return `the working directory ${start.cwd} can not be used (${directory})`;
  if (!directory.isDirectory()) return `the working directory ${start.cwd} is not a directory`;
  if (start.args.some((arg) => arg.includes('\0'))) return 'the command contains a NUL character, which no shell takes';
  if (systemCode(error) === 'E2BIG') {
    return 'the command is longer than the system allows; put the long part into a file and run that';
  }
  return `the shell ${start.path} could not be started (${systemReason(error)})`;
}
