import { type CommandResult, STOP_SIGNALS } from '../end-process.ts';
import { watchReader } from '../process/reader-watch.ts';
import { StandardInput } from '../process/stdin-source.ts';
import { isSameSink, StandardSink } from '../process/text-sink.ts';
import { parseExecArguments } from './arguments.ts';
import type { AgentModule } from './command-dependencies.ts';
import { DEFAULT_STDIN_LIMITS, type StdinLimits } from './prompt.ts';
import { type CommandLine, runCommandLine } from './run-command-line.ts';
import { StopSwitch } from './stop-switch.ts';

/** `quire exec`. */
export const EXEC: CommandLine = {
  usage: 'Usage: quire exec [OPTIONS] [PROMPT]; see quire exec --help',
  parse: parseExecArguments,
  loadHelp: async () => (await import('./help.ts')).EXEC_HELP,
};

/** `quire review`: the sub-command of `exec` as a command of its own. */
export const REVIEW: CommandLine = {
  usage: 'Usage: quire review [OPTIONS] TARGET; see quire review --help',
  parse: (argv) => parseExecArguments(['review', ...argv]),
  loadHelp: async () => (await import('./help.ts')).REVIEW_HELP,
};

/** A command on the streams and signals of this process. */
export async function runCommand(
  commandLine: CommandLine,
  argv: readonly string[],
  options: { readonly loadAgent: () => Promise<AgentModule>; readonly stdinLimits?: StdinLimits },
): Promise<CommandResult> {
  const stop = new StopSwitch();
  const onSignal = (signal: NodeJS.Signals): void => {
    const known = STOP_SIGNALS.find((candidate) => candidate === signal);
    if (known !== undefined) stop.request({ kind: 'signal', signal: known });
  };
  // The last resort of the process: the turn still gets its terminal event, and nobody gets a stack trace.
  const onFault = (error: unknown): void =>
    stop.request({ kind: 'fault', message: error instanceof Error ? error.message : String(error) });
  const stdout = new StandardSink({
    open: () => process.stdout,
    onFailure: ({ readerGone, message }) =>
      stop.request(readerGone ? { kind: 'output-closed' } : { kind: 'output-failed', message }),
  });
  // Diagnostics that nobody reads are no reason to stop.
  const stderr = new StandardSink({ open: () => process.stderr, onFailure: () => undefined });

  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  process.on('uncaughtException', onFault);
  const endWatch = watchReader(/* descriptor */ 1, () => stop.request({ kind: 'output-closed' }));
  try {
    return await runCommandLine(commandLine, argv, {
      stdin: new StandardInput(),
      stdinLimits: options.stdinLimits ?? DEFAULT_STDIN_LIMITS,
      stdout,
      stderr,
      sharedSink: isSameSink(/* left */ 1, /* right */ 2),
      environment: process.env,
      stop,
      loadAgent: options.loadAgent,
    });
  } finally {
    endWatch();
    process.off('uncaughtException', onFault);
  }
}
