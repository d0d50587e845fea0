import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { SandboxedCommand } from '@quire/agent';
import type { CommandResult } from '../end-process.ts';
import { checkWritableDirectories } from '../exec/directories.ts';
import { quireOptionsOf } from '../exec/options.ts';
import { safeLine } from '../exec/safe-text.ts';
import { systemReason } from '../exec/setup-error.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { parseSandboxArguments, type SandboxArguments } from './arguments.ts';

/** `quire sandbox`: one command under the policy that is configured here. */
export async function sandboxCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseSandboxArguments(argv);
  if (parsed.kind === 'help') return say('stdout', (await import('./help.ts')).SANDBOX_HELP);
  if (parsed.kind === 'usage-error') {
    complain(`${safeLine(parsed.message)}\nUsage: quire sandbox [OPTIONS] -- COMMAND; see quire sandbox --help`);
    return { exitCode: EXIT.usage, settled: true };
  }
  try {
    return { exitCode: await run(parsed.arguments), settled: true };
  } catch (error) {
    complain(safeLine(systemReason(error)));
    return { exitCode: EXIT.failed, settled: true };
  }
}

async function run({ options, backend, argv }: SandboxArguments): Promise<number> {
  for (const warning of options.warnings) complain(safeLine(warning));
  const { sandboxMode, workingDirectory, additionalDirectories } = options;
  checkWritableDirectories(additionalDirectories);
  const { Quire } = await import('@quire/agent');
  const command = await new Quire(quireOptionsOf(options)).sandboxCommand(argv, {
    additionalDirectories,
    ...(sandboxMode === undefined ? {} : { sandboxMode }),
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
    ...(backend === undefined ? {} : { backend }),
  });
  if (command.kind === 'unavailable') throw new Error(command.reason);
  try {
    return await follow(start(command, argv), argv);
  } finally {
    if (command.kind === 'ready') command.release();
  }
}

function start(command: Exclude<SandboxedCommand, { kind: 'unavailable' }>, argv: readonly string[]): ChildProcess {
  const { cwd, environment } = command;
  if (command.kind === 'ready') {
    const stdio = ['inherit', 'inherit', 'inherit', ...command.extraFds] as const;
    return spawn(command.path, command.args, { cwd, env: environment, stdio: [...stdio] });
  }
  const [path = '', ...args] = argv;
  return spawn(path, args, { cwd, env: environment, stdio: 'inherit' });
}

/** A terminal sends its signals to the command as well; those that are sent to this process alone are handed on. */
async function follow(child: ChildProcess, argv: readonly string[]): Promise<number> {
  const handOn = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  const handOnUnlessTyped = (signal: NodeJS.Signals): void => {
    if (!process.stdin.isTTY) child.kill(signal);
  };
  process.on('SIGTERM', handOn).on('SIGHUP', handOn).on('SIGINT', handOnUnlessTyped).on('SIGQUIT', handOnUnlessTyped);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (error) {
    complain(`${safeLine(argv[0] ?? '')} could not be started: ${safeLine(systemReason(error))}`);
    return 127;
  }
}

function complain(text: string): void {
  say('stderr', `quire: ${text}\n`);
}
