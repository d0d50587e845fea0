import type { JsonObject, ToolCallItem, TruncationPolicy, TurnItem } from '@quire/protocol';
import { decideCommand } from '../approval/command-policy.ts';
import { fitsBudget, truncateMiddle } from '../history/truncate-output.ts';
import { detectPatchScript } from '../patch/index.ts';
import { resolvePath } from '../paths.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommandOutcome, CommandRunner, ShellCommand } from '../ports/command-runner.ts';
import { quoteArgv } from '../shell/index.ts';
import type { ApplyPatchTool } from './apply-patch.ts';
import { type ArgumentReading, invalid, parseArguments } from './call-arguments.ts';
import { effectiveTruncation } from './effective-truncation.ts';
import { formatAbortedSeconds, formatSeconds, type Tool, type ToolContext, type ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

/** Source: the peer's default for shell tools. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** A day; also within what timers of the platform can hold. */
const LONGEST_TIMEOUT_MS = 86_400_000;
const TIMEOUT_EXIT_CODE = 124;

interface ShellArguments {
  readonly command: ShellCommand;
  readonly escalated: boolean;
}

/** Runs a script in the user's shell. Source for arguments and output: the peer's `shell_command`. */
export class ShellCommandTool implements Tool {
  readonly name = 'shell_command';
  readonly parallelSafe = true;
  readonly spec = {
    type: 'function',
    name: 'shell_command',
    description:
      "Runs a script in the user's shell and gives back its exit code and output. Set `workdir` instead of using cd. Give `timeout_ms` when it may take longer than 10 seconds.",
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        command: { type: 'string', description: 'The script.' },
        workdir: { type: 'string', description: 'Folder to run in. Default: the working directory of the thread.' },
        login: { type: 'boolean', description: 'Run with the environment of a login shell. Default: true.' },
        timeout_ms: { type: 'number', description: 'Time limit in milliseconds. Default: 10000.' },
      },
      required: ['command'],
      additionalProperties: false,
    },
  } as const;

  readonly #runner: CommandRunner;
  readonly #applyPatch: ApplyPatchTool;
  readonly #clock: Clock;

  constructor(ports: { readonly runner: CommandRunner; readonly clock: Clock }, applyPatch: ApplyPatchTool) {
    this.#runner = ports.runner;
    this.#clock = ports.clock;
    this.#applyPatch = applyPatch;
  }

  prepare(): void {
    this.#runner.warmUp();
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    const reading = parsed.kind === 'ok' ? readArguments(parsed.value, context.settings.cwd) : parsed;
    if (reading.kind === 'invalid') return toolError(call, this.name, reading.message);
    const { command, escalated } = reading.value;
    const patch = detectPatchScript(command.script);
    if (patch?.kind === 'raw-patch') {
      return toolError(call, this.name, 'this is a patch, not a command: call the `apply_patch` tool with it');
    }
    if (patch?.kind === 'patch') {
      const cwd = patch.cwdOffset === undefined ? command.cwd : resolvePath(command.cwd, patch.cwdOffset);
      return this.#applyPatch.applyText(call, patch.patch, { ...context, cwd });
    }
    return this.#runCommand(call, command, { escalated, context });
  }

  async #runCommand(
    call: ToolCallItem,
    command: ShellCommand,
    options: { readonly escalated: boolean; readonly context: ToolContext },
  ): Promise<ToolResult> {
    const { context } = options;
    const { turnId, settings, signal, emit } = context;
    const item = {
      kind: 'command-execution',
      id: call.call_id ?? this.name,
      command: quoteArgv(this.#runner.argv(command)),
      cwd: command.cwd,
      output: '',
      exitCode: undefined,
      durationMs: undefined,
      status: 'in-progress',
    } as const;
    emit({ kind: 'item-start', turnId, item });
    const decision = decideCommand(command.script, { escalated: options.escalated }, settings);
    if (decision.kind === 'refuse') {
      const output = `exec command rejected: ${decision.reason}`;
      return { output, endItem: { ...item, output, status: 'declined' } };
    }
    const printed = new PrintedOutput();
    const startedAtMs = this.#clock.now();
    try {
      const outcome = await this.#runner.run(command, {
        signal,
        onOutput: (chunk) => {
          printed.add(chunk);
          emit({ kind: 'command-output-delta', turnId, itemId: item.id, delta: chunk });
        },
      });
      return finished(item, outcome, { timeoutMs: command.timeoutMs, truncation: effectiveTruncation(settings) });
    } catch (error) {
      if (!signal.aborted) throw error;
      const durationMs = this.#clock.now() - startedAtMs;
      return {
        output: `Wall time: ${formatAbortedSeconds(durationMs)} seconds\naborted by user`,
        endItem: { ...item, output: printed.text, durationMs, status: 'failed' },
      };
    }
  }
}

/** What a command printed before it was aborted; the first 64 KiB are enough for people. */
class PrintedOutput {
  text = '';

  add(chunk: string): void {
    if (this.text.length < 65_536) this.text += chunk;
  }
}

function readArguments(args: JsonObject, cwd: string): ArgumentReading<ShellArguments> {
  // A null stands for an absent field: models write it for what is optional.
  const script = args['command'] ?? undefined;
  if (script === undefined) return invalid('missing field `command`');
  if (typeof script !== 'string') return invalid('`command` must be one string: the script');
  const timeoutMs = args['timeout_ms'] ?? DEFAULT_TIMEOUT_MS;
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 1)) return invalid('`timeout_ms` must be a positive number');
  const login = args['login'] ?? true;
  if (typeof login !== 'boolean') return invalid('`login` must be a boolean');
  const workdir = args['workdir'] ?? '.';
  if (typeof workdir !== 'string') return invalid('`workdir` must be a string');
  return {
    kind: 'ok',
    value: {
      command: {
        script,
        login,
        cwd: resolvePath(cwd, workdir),
        timeoutMs: Math.min(Math.ceil(timeoutMs), LONGEST_TIMEOUT_MS),
      },
      escalated: args['sandbox_permissions'] === 'require_escalated',
    },
  };
}

type CommandItem = Extract<TurnItem, { kind: 'command-execution' }>;

function finished(
  item: CommandItem,
  outcome: CommandOutcome,
  limits: { readonly timeoutMs: number; readonly truncation: TruncationPolicy },
): ToolResult {
  const { end, durationMs } = outcome;
  if (end.kind === 'not-started') {
    const output = `execution error: ${end.reason}`;
    return { output, endItem: { ...item, output, durationMs, status: 'failed' } };
  }
  const printed = printedText(outcome, limits.timeoutMs);
  const exitCode = exitCodeOf(outcome);
  return {
    output: modelText({ printed, exitCode, outcome }, limits.truncation),
    endItem: { ...item, output: printed, exitCode, durationMs, status: exitCode === 0 ? 'completed' : 'failed' },
  };
}

function printedText({ end, output }: CommandOutcome, timeoutMs: number): string {
  if (end.kind === 'timed-out') return `command timed out after ${timeoutMs} milliseconds\n${output}`;
  return end.kind === 'signalled' ? `command was ended by signal ${end.signal}\n${output}` : output;
}

function exitCodeOf({ end }: CommandOutcome): number {
  if (end.kind === 'exited') return end.exitCode;
  return end.kind === 'timed-out' ? TIMEOUT_EXIT_CODE : -1;
}

function modelText(
  result: { readonly printed: string; readonly exitCode: number; readonly outcome: CommandOutcome },
  truncation: TruncationPolicy,
): string {
  const { printed, exitCode, outcome } = result;
  const lines = [`Exit code: ${exitCode}`, `Wall time: ${formatSeconds(outcome.durationMs)} seconds`];
  if (!fitsBudget(printed, truncation)) lines.push(`Total output lines: ${outcome.totalLines}`);
  lines.push('Output:', truncateMiddle(printed, truncation));
  return lines.join('\n');
}
