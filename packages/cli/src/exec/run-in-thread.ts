import type { AgentThread, Submission, ThreadOptions, TurnOptions } from '@quire/agent';
import { assertNever, type ThreadEvent, type TurnOutcome } from '@quire/protocol';
import { EXIT } from '../exit-codes.ts';
import { VERSION } from '../version.ts';
import type { ExecArguments, ThreadChoice } from './arguments.ts';
import { type AgentModule, type CommandDependencies, ORIGINATOR, type Threads } from './command-dependencies.ts';
import { tellDamagedThreads } from './damaged-threads.ts';
import { checkWorkingDirectoryName, checkWritableDirectories } from './directories.ts';
import type { ExecOutput } from './exec-output.ts';
import { checkLastMessageFile, writeLastMessage } from './last-message-file.ts';
import { quireOptionsOf } from './options.ts';
import { readOutputSchema } from './output-schema.ts';
import { safeLine } from './safe-text.ts';
import { describeStop, messageOf } from './stop-report.ts';
import { exitCodeOf } from './stop-switch.ts';
import { createStyle, wantsColor } from './style.ts';
import { readSubmission } from './submission.ts';

/** Bounds for what is waited for at the end, in milliseconds. */
const SETTLE_MS = 5_000;
const CLOSE_MS = 1_000;
/** Without a stop, what is left of telemetry has its two seconds; nothing else takes as long. */
const LAST_RECORDS_MS = 2_500;
/** The same when nobody reads any more: settle, close and exit stay within one second. */
const UNREAD_SETTLE_MS = 400;
const UNREAD_CLOSE_MS = 400;

/**
 * For an opening to give up what it began, in milliseconds. With flushing it stays within one second, also when
 * nobody reads any more.
 */
const OPENING_GRACE_MS = 500;

/** Opens the thread, has it do what was asked, and closes it. Rejects when the run can not start. */
export async function runInThread(given: ExecArguments, dependencies: CommandDependencies): Promise<number> {
  const { stop } = dependencies;
  const loading = dependencies.loadAgent();
  const making = createOutput(given, dependencies);
  for (const early of [loading, making]) early.catch(() => undefined); // awaited below, unless something fails before
  const outputSchema = given.outputSchemaPath === undefined ? undefined : readOutputSchema(given.outputSchemaPath);
  if (given.lastMessagePath !== undefined) checkLastMessageFile(given.lastMessagePath);
  checkWorkingDirectoryName(given.workingDirectory);
  checkWritableDirectories(given.additionalDirectories);
  await checkThread(given, { loading, dependencies });
  const { submission, shown } = await readSubmission(given, { loading, dependencies });
  const agent = await loading;
  stop.signal.throwIfAborted();
  const thread = await openThread(given, { agent, dependencies, submission });
  try {
    const output = await making;
    output.opened(thread.facts, shown);
    if (submission === undefined) {
      output.left(thread.facts);
      return EXIT.completed;
    }
    const turnOptions = outputSchema === undefined ? {} : { outputSchema };
    const outcome = await runTask(thread, { submission, turnOptions, output, dependencies });
    output.ended(outcome);
    return finish(outcome, { given, dependencies });
  } finally {
    await closeThread(thread, dependencies);
  }
}

/** A thread that is not there is told before somebody writes a whole prompt for it to stdin. */
async function checkThread(
  { thread, submission, workingDirectory, ...given }: ExecArguments,
  { loading, dependencies }: { readonly loading: Promise<AgentModule>; readonly dependencies: CommandDependencies },
): Promise<void> {
  const readsWholePrompt = submission.kind === 'prompt' && submission.text === undefined;
  if (thread.kind === 'new' || !readsWholePrompt) return;
  const quire = createThreads(given, { agent: await loading, dependencies });
  const { signal } = dependencies.stop;
  await quire.checkThread(thread.target, {
    use: thread.kind,
    signal,
    ...(workingDirectory !== undefined && { workingDirectory }),
  });
}

function createThreads(
  given: Parameters<typeof quireOptionsOf>[0],
  { agent, dependencies }: { readonly agent: AgentModule; readonly dependencies: CommandDependencies },
): Threads {
  const { environment, stderr } = dependencies;
  return new agent.Quire({
    ...quireOptionsOf(given),
    environment,
    originator: ORIGINATOR,
    onTelemetryProblem: (message) => stderr.write(`quire: ${safeLine(message)}\n`),
    onDamagedThreads: (threads) => tellDamagedThreads(threads, stderr),
  });
}

/** After a stop no file of a half-made thread stays, and a thread that arrives all the same is closed at once. */
async function openThread(
  given: ExecArguments,
  context: {
    readonly agent: AgentModule;
    readonly dependencies: CommandDependencies;
    readonly submission: Submission | undefined;
  },
): Promise<AgentThread> {
  const { stop } = context.dependencies;
  const quire = createThreads(given, context);
  const options: ThreadOptions = {
    ...(given.workingDirectory !== undefined && { workingDirectory: given.workingDirectory }),
    ...(given.model !== undefined && { model: given.model }),
    ...(given.sandboxMode !== undefined && { sandboxMode: given.sandboxMode }),
    ...(given.threadSource !== undefined && { threadSource: given.threadSource }),
    additionalDirectories: given.additionalDirectories,
    skipGitRepoCheck: given.skipGitRepoCheck,
    ephemeral: given.ephemeral,
    source: 'exec',
    signal: stop.signal,
  };
  const opening = checkSubmission(quire, context.submission, options)
    .then(() => open(quire, given.thread, options))
    .then(async (opened) => {
      if (stop.signal.aborted) await opened.close();
      stop.signal.throwIfAborted();
      return opened;
    });
  const thread = await stop.bounded(opening, { graceMs: () => OPENING_GRACE_MS });
  if (thread === undefined) throw stop.signal.reason;
  return thread;
}

/** What can not be done leaves no thread behind. */
async function checkSubmission(
  threads: Threads,
  submission: Submission | undefined,
  options: ThreadOptions,
): Promise<void> {
  if (typeof submission !== 'object' || !('task' in submission) || submission.task !== 'review') return;
  await threads.checkReview(submission.target, options);
}

function open(threads: Threads, choice: ThreadChoice, options: ThreadOptions): Promise<AgentThread> {
  switch (choice.kind) {
    case 'new':
      return threads.startThread(options);
    case 'resume':
      return threads.resumeThread(choice.target, options);
    case 'fork': {
      const { target, beforeUserMessage } = choice;
      const cut = beforeUserMessage === undefined ? {} : { beforeUserMessage, requiresMessage: true };
      return threads.forkThread(target, { ...options, ...cut });
    }
    default:
      return assertNever(choice, 'open');
  }
}

async function createOutput(given: ExecArguments, dependencies: CommandDependencies): Promise<ExecOutput> {
  const { stdout, stderr, environment } = dependencies;
  if (given.json) {
    const { JsonOutput } = await import('./json-output.ts');
    return new JsonOutput({ stdout, stderr, withReceipt: given.receipt });
  }
  const { HumanOutput } = await import('./human-output.ts');
  const color = wantsColor({ choice: given.color, isTerminal: stderr.isTerminal, environment });
  return new HumanOutput({
    stdout,
    stderr,
    style: createStyle({ color }),
    version: VERSION,
    sharedSink: dependencies.sharedSink,
    stdoutIsTerminal: stdout.isTerminal,
  });
}

/** The outcome of the one task; made up here when the runtime does not report one in time. */
async function runTask(
  thread: AgentThread,
  context: {
    readonly submission: Submission;
    readonly turnOptions: TurnOptions;
    readonly output: ExecOutput;
    readonly dependencies: CommandDependencies;
  },
): Promise<TurnOutcome> {
  const { stop } = context.dependencies;
  let outcome: TurnOutcome | undefined;
  let isOver = false;
  const onEvent = (event: ThreadEvent): void => {
    if (isOver) return;
    if (event.kind === 'turn-end') outcome = event.outcome;
    else context.output.event(event);
  };
  try {
    const task = thread.runPushed(context.submission, { ...context.turnOptions, signal: stop.signal, onEvent });
    await stop.bounded(task, {
      graceMs: () => (stop.reason?.kind === 'output-closed' ? UNREAD_SETTLE_MS : SETTLE_MS),
    });
  } catch (error) {
    if (!stop.signal.aborted) outcome ??= internalFailure(messageOf(error));
  }
  isOver = true;
  if (stop.reason?.kind === 'fault') return internalFailure(`internal error: ${stop.reason.message}`);
  if (outcome !== undefined) return outcome;
  return stop.signal.aborted ? { kind: 'interrupted' } : internalFailure('the turn ended without a result');
}

function internalFailure(message: string): TurnOutcome {
  return { kind: 'failed', failure: { code: 'internal', message, retryable: false } };
}

function finish(
  outcome: TurnOutcome,
  context: { readonly given: ExecArguments; readonly dependencies: CommandDependencies },
): number {
  const { given, dependencies } = context;
  const { stderr, stop } = dependencies;
  const reason = stop.reason;
  if (given.lastMessagePath !== undefined) {
    writeLastMessage(given.lastMessagePath, outcome.kind === 'completed' ? (outcome.lastAgentMessage ?? '') : '');
  }
  if (outcome.kind === 'completed') return EXIT.completed;
  if (reason !== undefined && reason.kind !== 'fault') describeStop(reason, stderr); // a fault was the turn's failure
  return reason === undefined ? EXIT.failed : exitCodeOf(reason);
}

async function closeThread(thread: AgentThread, { stop }: CommandDependencies): Promise<void> {
  const { reason } = stop;
  const limitMs = reason === undefined ? LAST_RECORDS_MS : reason.kind === 'output-closed' ? UNREAD_CLOSE_MS : CLOSE_MS;
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  const closing = thread.close();
  closing.catch(() => undefined); // the answer is out; a file that fails to close late changes nothing about it
  try {
    await Promise.race([closing, expired]);
  } catch {
    return; // see above
  } finally {
    clearTimeout(timer);
  }
}
