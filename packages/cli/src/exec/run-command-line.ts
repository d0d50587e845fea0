import { assertNever } from '@quire/protocol';
import type { CommandResult } from '../end-process.ts';
import { EXIT } from '../exit-codes.ts';
import type { TextSink } from '../process/text-sink.ts';
import type { ExecArguments } from './arguments.ts';
import { type CommandDependencies, ORIGINATOR, type Threads } from './command-dependencies.ts';
import { tellDamagedThreads } from './damaged-threads.ts';
import { type ExecOptions, quireOptionsOf } from './options.ts';
import { runInThread } from './run-in-thread.ts';
import { safeLine } from './safe-text.ts';
import { describeStop, messageOf } from './stop-report.ts';
import { exitCodeOf, type StopReason, type StopSwitch } from './stop-switch.ts';

/** How the arguments of a command are understood, and what is told about them. */
export interface CommandLine {
  /** One line, for usage errors. */
  readonly usage: string;
  /** @param argv without the command's own name */
  readonly parse: (argv: readonly string[]) => ParsedCommandLine;
  readonly loadHelp: () => Promise<string>;
}

export type ParsedCommandLine =
  | { readonly kind: 'run'; readonly arguments: ExecArguments }
  | { readonly kind: 'operation'; readonly operation: Operation }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string };

/** Something done with threads on disk for which nothing runs in them. */
export interface Operation {
  readonly options: Pick<ExecOptions, keyof Parameters<typeof quireOptionsOf>[0] | 'deadlineSeconds' | 'warnings'>;
  /** Rejects with an error that has a `code`, which is told to the person as it is. */
  readonly run: (context: OperationContext) => Promise<void>;
}

export interface OperationContext {
  readonly threads: Threads;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly signal: AbortSignal;
}

/** Longest wait for readers after a stop was requested, in milliseconds. */
const FLUSH_MS = 1_000;
/** What readers have of it in any case, however long the rest took. */
const LEAST_FLUSH_MS = 300;
/** Longest wait for an operation after a stop was requested, in milliseconds. */
const OPERATION_GRACE_MS = 1_000;

/** One command from its arguments to its exit code. Never rejects for anything a person can cause. */
export async function runCommandLine(
  commandLine: CommandLine,
  argv: readonly string[],
  dependencies: CommandDependencies,
): Promise<CommandResult> {
  const { stdout, stderr } = dependencies;
  const parsed = commandLine.parse(argv);
  switch (parsed.kind) {
    case 'help':
      stdout.write(await commandLine.loadHelp());
      return flushed(EXIT.completed, dependencies);
    case 'usage-error':
      stderr.write(`quire: ${safeLine(parsed.message)}\n${commandLine.usage}\n`);
      return flushed(EXIT.usage, dependencies);
    case 'run':
      return execute(parsed.arguments, dependencies, () => runInThread(parsed.arguments, dependencies));
    case 'operation': {
      const { operation } = parsed;
      return execute(operation.options, dependencies, () => operate(operation, dependencies));
    }
    default:
      return assertNever(parsed, 'runCommandLine');
  }
}

async function execute(
  given: Pick<ExecOptions, 'deadlineSeconds' | 'warnings'>,
  dependencies: CommandDependencies,
  work: () => Promise<number>,
): Promise<CommandResult> {
  for (const warning of given.warnings) dependencies.stderr.write(`quire: ${warning}\n`);
  const deadline = startDeadline(given.deadlineSeconds, dependencies.stop);
  try {
    const exitCode = await work().catch((error) => reportFailure(error, dependencies));
    return await flushed(exitCode, dependencies);
  } finally {
    clearTimeout(deadline);
  }
}

/** What has begun to be written is given the time to end. */
async function operate(operation: Operation, dependencies: CommandDependencies): Promise<number> {
  const { stop, stdout, stderr, environment } = dependencies;
  const agent = await dependencies.loadAgent();
  const threads = new agent.Quire({
    ...quireOptionsOf(operation.options),
    environment,
    originator: ORIGINATOR,
    onDamagedThreads: (damaged) => tellDamagedThreads(damaged, stderr),
  });
  stop.signal.throwIfAborted();
  const running = operation.run({ threads, stdout, stderr, signal: stop.signal }).then(() => EXIT.completed);
  const exitCode = await stop.bounded(running, { graceMs: () => OPERATION_GRACE_MS });
  if (exitCode === undefined) throw stop.signal.reason;
  return exitCode;
}

/**
 * Waits for readers as long as they live; after a stop only shortly. A stop changes the exit code, unless the run had
 * its own end and all output was taken.
 */
async function flushed(exitCode: number, { stdout, stderr, stop }: CommandDependencies): Promise<CommandResult> {
  const flushing = Promise.all([stdout.flush(), stderr.flush()]).then(() => true);
  const inTime = await stop.bounded(flushing, {
    graceMs: () => (stop.reason?.kind === 'output-closed' ? 0 : Math.max(FLUSH_MS - stop.ageMs, LEAST_FLUSH_MS)),
  });
  // What was taken already takes no time to find out, also after a second signal.
  const settled = inTime ?? (await Promise.race([flushing, afterThisTurn()]));
  const { reason } = stop;
  if (reason?.kind === 'output-failed') {
    stderr.write(`quire: stdout can not be written: ${safeLine(reason.message)}\n`);
    await stop.bounded(stderr.flush(), { graceMs: () => FLUSH_MS });
  }
  const isStopped = reason !== undefined && !(settled === true && isPastDelivery(reason));
  const leavesAtOnce = stop.leaveSignal.aborted;
  return { exitCode: isStopped ? exitCodeOf(reason) : exitCode, settled: settled === true && !leavesAtOnce };
}

/** Of the event loop. */
function afterThisTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}

/** A signal or a deadline changes nothing about a run that has ended and whose output has arrived. */
function isPastDelivery(reason: StopReason): boolean {
  return reason.kind === 'signal' || reason.kind === 'deadline';
}

/** The clock of `--deadline` covers the whole run: a stdin that never ends is no way around it. */
function startDeadline(seconds: number | undefined, stop: StopSwitch): NodeJS.Timeout | undefined {
  if (seconds === undefined) return undefined;
  return setTimeout(() => stop.request({ kind: 'deadline', seconds }), seconds * 1_000);
}

function reportFailure(error: unknown, { stderr, stop }: CommandDependencies): number {
  const reason = stop.reason;
  if (reason !== undefined) {
    describeStop(reason, stderr);
    return exitCodeOf(reason);
  }
  const isExpected = error instanceof Error && 'code' in error && typeof error.code === 'string';
  stderr.write(`quire: ${isExpected ? '' : 'internal error: '}${safeLine(messageOf(error))}\n`);
  return EXIT.failed;
}
