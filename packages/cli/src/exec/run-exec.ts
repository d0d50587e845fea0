import type { AgentThread, QuireOptions, ResumeTarget, ThreadOptions, TurnOptions } from '@quire/agent';
import { assertNever, type ThreadEvent, type TurnOutcome, type UserInput } from '@quire/protocol';
import type { CommandResult } from '../end-process.ts';
import { EXIT } from '../exit-codes.ts';
import type { StdinSource } from '../process/stdin-source.ts';
import type { TextSink } from '../process/text-sink.ts';
import { VERSION } from '../version.ts';
import { type ExecArguments, parseExecArguments } from './arguments.ts';
import { checkWorkingDirectoryName, checkWritableDirectories } from './directories.ts';
import type { ExecOutput } from './exec-output.ts';
import { checkLastMessageFile, writeLastMessage } from './last-message-file.ts';
import { readOutputSchema } from './output-schema.ts';
import { composePrompt, type Prompt, readPrompt, type StdinLimits } from './prompt.ts';
import { safeLine } from './safe-text.ts';
import { exitCodeOf, type StopReason, type StopSwitch } from './stop-switch.ts';
import { createStyle, wantsColor } from './style.ts';

/** The part of `@quire/agent` that a run stands on. */
export interface AgentModule {
  readonly Quire: new (options?: QuireOptions) => ThreadOpener;
  readonly loadImageInput: (path: string) => Promise<UserInput>;
}

export interface ThreadOpener {
  startThread(options?: ThreadOptions): Promise<AgentThread>;
  resumeThread(target: ResumeTarget, options?: ThreadOptions): Promise<AgentThread>;
}

export interface ExecDependencies {
  /** Without the command's own name. */
  readonly argv: readonly string[];
  readonly stdin: StdinSource;
  readonly stdinLimits: StdinLimits;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Whether stdout and stderr end at the same place. */
  readonly sharedSink: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Signals of the system and failures of stdout arrive here. */
  readonly stop: StopSwitch;
  /** Called while stdin is still being read, so that loading costs nothing extra. */
  readonly loadAgent: () => Promise<AgentModule>;
}

/** Bounds for what is waited for after a stop was requested, in milliseconds. */
const SETTLE_MS = 5_000;
const CLOSE_MS = 1_000;
const FLUSH_MS = 1_000;
/** The same when nobody reads any more: settle, close and exit stay within one second. */
const UNREAD_SETTLE_MS = 400;
const UNREAD_CLOSE_MS = 400;

/** One `quire exec`. Never rejects for anything a person can cause. */
export async function runExec(dependencies: ExecDependencies): Promise<CommandResult> {
  const { stdout, stderr } = dependencies;
  const parsed = parseExecArguments(dependencies.argv);
  switch (parsed.kind) {
    case 'help': {
      const { EXEC_HELP } = await import('./help.ts');
      stdout.write(EXEC_HELP);
      return flushed(EXIT.completed, dependencies);
    }
    case 'usage-error':
      stderr.write(`quire: ${safeLine(parsed.message)}\nUsage: quire exec [OPTIONS] [PROMPT]; see quire exec --help\n`);
      return flushed(EXIT.usage, dependencies);
    case 'run':
      return execute(parsed.arguments, dependencies);
    default:
      return assertNever(parsed, 'runExec');
  }
}

async function execute(given: ExecArguments, dependencies: ExecDependencies): Promise<CommandResult> {
  for (const warning of given.warnings) dependencies.stderr.write(`quire: ${warning}\n`);
  const deadline = startDeadline(given.deadlineSeconds, dependencies.stop);
  try {
    const exitCode = await runOnce(given, dependencies).catch((error) => reportSetupFailure(error, dependencies));
    return await flushed(exitCode, dependencies);
  } finally {
    clearTimeout(deadline);
  }
}

/**
 * Waits for readers as long as they live; after a stop only shortly. A stop changes the exit code, unless the run had
 * its own end and all output was taken.
 */
async function flushed(exitCode: number, { stdout, stderr, stop }: ExecDependencies): Promise<CommandResult> {
  const flushing = Promise.all([stdout.flush(), stderr.flush()]).then(() => true);
  const settled = await stop.bounded(flushing, {
    graceMs: () => (stop.reason?.kind === 'output-closed' ? 0 : FLUSH_MS),
  });
  const { reason } = stop;
  if (reason?.kind === 'output-failed') {
    stderr.write(`quire: stdout can not be written: ${safeLine(reason.message)}\n`);
    await stop.bounded(stderr.flush(), { graceMs: () => FLUSH_MS });
  }
  const isStopped = reason !== undefined && !(settled === true && isPastDelivery(reason));
  return { exitCode: isStopped ? exitCodeOf(reason) : exitCode, settled: settled === true };
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

async function runOnce(given: ExecArguments, dependencies: ExecDependencies): Promise<number> {
  const { stop } = dependencies;
  const loading = dependencies.loadAgent();
  const making = createOutput(given, dependencies);
  for (const early of [loading, making]) early.catch(() => undefined); // awaited below, unless something fails before
  const outputSchema = given.outputSchemaPath === undefined ? undefined : readOutputSchema(given.outputSchemaPath);
  if (given.lastMessagePath !== undefined) checkLastMessageFile(given.lastMessagePath);
  checkWorkingDirectoryName(given.workingDirectory);
  checkWritableDirectories(given.additionalDirectories);
  const prompt = await readPrompt({
    argument: given.prompt,
    stdin: dependencies.stdin,
    limits: dependencies.stdinLimits,
    notify: (line) => dependencies.stderr.write(`${line}\n`),
    signal: stop.signal,
  });
  const agent = await loading;
  const images = await Promise.all(given.images.map((path) => agent.loadImageInput(path)));
  stop.signal.throwIfAborted();
  const thread = await openThread(given, { agent, dependencies });
  try {
    const output = await making;
    output.opened(thread.facts, {
      text: prompt.text,
      attachedCharacters: prompt.attached.length,
      imageCount: images.length,
    });
    const outcome = await runTurn(thread, {
      input: toInput(prompt, images),
      turnOptions: outputSchema === undefined ? {} : { outputSchema },
      output,
      dependencies,
    });
    output.ended(outcome);
    return finish(outcome, { given, dependencies });
  } finally {
    await closeThread(thread, dependencies);
  }
}

function toInput(prompt: Prompt, images: readonly UserInput[]): readonly UserInput[] {
  return [...images, { kind: 'text', text: composePrompt(prompt) }];
}

/** Opening takes no signal: after a stop a thread that still arrives is closed at once. */
async function openThread(
  given: ExecArguments,
  context: { readonly agent: AgentModule; readonly dependencies: ExecDependencies },
): Promise<AgentThread> {
  const { stop, environment } = context.dependencies;
  const quire = new context.agent.Quire({
    configOverrides: given.configOverrides,
    environment,
    ignoreUserConfig: given.ignoreUserConfig,
    originator: 'quire_exec',
  });
  const options: ThreadOptions = {
    ...(given.workingDirectory !== undefined && { workingDirectory: given.workingDirectory }),
    ...(given.model !== undefined && { model: given.model }),
    ...(given.sandboxMode !== undefined && { sandboxMode: given.sandboxMode }),
    ...(given.threadSource !== undefined && { threadSource: given.threadSource }),
    additionalDirectories: given.additionalDirectories,
    skipGitRepoCheck: given.skipGitRepoCheck,
    ephemeral: given.ephemeral,
    source: 'exec',
  };
  const opening = given.resume === undefined ? quire.startThread(options) : quire.resumeThread(given.resume, options);
  const thread = await stop.bounded(opening, { graceMs: () => 0 });
  if (thread !== undefined) return thread;
  opening.then(
    (late) => late.close(),
    () => undefined,
  );
  throw stop.signal.reason;
}

async function createOutput(given: ExecArguments, dependencies: ExecDependencies): Promise<ExecOutput> {
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

/** The outcome of the one turn; made up here when the runtime does not report one in time. */
async function runTurn(
  thread: AgentThread,
  context: {
    readonly input: readonly UserInput[];
    readonly turnOptions: TurnOptions;
    readonly output: ExecOutput;
    readonly dependencies: ExecDependencies;
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
    const turn = thread.runPushed(context.input, { ...context.turnOptions, signal: stop.signal, onEvent });
    await stop.bounded(turn, {
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
  context: { readonly given: ExecArguments; readonly dependencies: ExecDependencies },
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

async function closeThread(thread: AgentThread, { stop }: ExecDependencies): Promise<void> {
  const limitMs = stop.reason?.kind === 'output-closed' ? UNREAD_CLOSE_MS : CLOSE_MS;
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

function reportSetupFailure(error: unknown, { stderr, stop }: ExecDependencies): number {
  const reason = stop.reason;
  if (reason !== undefined) {
    describeStop(reason, stderr);
    return exitCodeOf(reason);
  }
  const isExpected = error instanceof Error && 'code' in error && typeof error.code === 'string';
  stderr.write(`quire: ${isExpected ? '' : 'internal error: '}${safeLine(messageOf(error))}\n`);
  return EXIT.failed;
}

function describeStop(reason: StopReason, stderr: TextSink): void {
  if (reason.kind === 'deadline') stderr.write(`quire: stopped: the deadline of ${reason.seconds} s has passed\n`);
  if (reason.kind === 'fault') stderr.write(`quire: internal error: ${safeLine(reason.message)}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
