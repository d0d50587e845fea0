import type { JsonObject, ToolCallItem, ToolSpec, TruncationPolicy } from '@quire/protocol';
import { runAuthorized } from '../approval/authorize-command.ts';
import { bindCommand } from '../approval/bound-command.ts';
import type { RequestedPermissions } from '../approval/requested-permissions.ts';
import type { Entropy } from '../ports/clock.ts';
import type { CommandRunner, SessionReading, ShellScript } from '../ports/command-runner.ts';
import type { CommandSettings } from '../thread/settings.ts';
import type { ApplyPatchTool } from './apply-patch.ts';
import { type ArgumentReading, parseArguments, readAll } from './call-arguments.ts';
import { APPROVAL_PROPERTIES, readPermissions } from './command-tools/approval-fields.ts';
import { optional, readDirectory, readScript, readYield } from './command-tools/command-arguments.ts';
import { ShownCommand } from './command-tools/command-item.ts';
import { exitCodeOf } from './command-tools/command-text.ts';
import { interceptPatch } from './command-tools/intercept-patch.ts';
import { LOGIN_PROPERTY, readLogin, withLogin } from './command-tools/login-field.ts';
import type { CommandPorts } from './command-tools/run-to-end.ts';
import { readingText, readOutputBudget, sessionText } from './command-tools/session-text.ts';
import { effectiveTruncation } from './effective-truncation.ts';
import { formatAbortedSeconds, type Tool, type ToolContext, type ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

/** Source: the peer. */
const YIELD_LIMITS = { defaultMs: 10_000, leastMs: 250, mostMs: 30_000 };

/** Programs behave as nobody watches them: no colours, no pagers, no language but plain English. Source: the peer. */
const PLAIN_ENVIRONMENT = {
  NO_COLOR: '1',
  TERM: 'dumb',
  COLORTERM: '',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  LC_CTYPE: 'C.UTF-8',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GH_PAGER: 'cat',
  CODEX_CI: '1',
} as const;

const SPEC = {
  type: 'function',
  name: 'exec_command',
  description:
    'Runs a script in a shell. Gives back its output, and either its exit code or, when it still runs after `yield_time_ms`, a session ID for `write_stdin`.',
  strict: false,
  parameters: {
    type: 'object',
    properties: {
      cmd: { type: 'string', description: 'The script.' },
      workdir: { type: 'string', description: 'Folder to run in. Default: the working directory of the thread.' },
      shell: { type: 'string', description: "The shell to run it. Default: the user's." },
      login: LOGIN_PROPERTY,
      tty: {
        type: 'boolean',
        description: 'Run on a terminal, so that `write_stdin` can type into it. Default: false, with no input.',
      },
      yield_time_ms: {
        type: 'number',
        description: 'How long to wait for the end, in milliseconds. Default: 10000; from 250 to 30000.',
      },
      max_output_tokens: { type: 'number', description: 'How much output to give back. Default: 10000.' },
      ...APPROVAL_PROPERTIES,
    },
    required: ['cmd'],
    additionalProperties: false,
  },
} as const;

function specOf({ allowLoginShell }: CommandSettings): ToolSpec {
  const { parameters } = SPEC;
  return { ...SPEC, parameters: { ...parameters, properties: withLogin(parameters.properties, allowLoginShell) } };
}

export type SessionPorts = CommandPorts & { readonly entropy: Pick<Entropy, 'random'> };

type SessionCommand = Parameters<CommandRunner['openSession']>[0];

interface SessionRequest {
  readonly command: Omit<ShellScript, 'confinement'> & { readonly tty: boolean };
  readonly yieldMs: number;
  readonly budget: TruncationPolicy;
  readonly permissions: RequestedPermissions;
}

/** Runs a script that may go on after the call. Source for arguments and output: the peer's `exec_command`. */
export class ExecCommandTool implements Tool {
  readonly name = 'exec_command';
  readonly kind = 'command';
  readonly parallelSafe = true;
  readonly spec: ToolSpec | undefined;
  readonly #ports: SessionPorts;
  readonly #applyPatch: ApplyPatchTool;

  constructor(
    ports: SessionPorts,
    applyPatch: ApplyPatchTool,
    { offer }: { readonly offer: CommandSettings | undefined },
  ) {
    this.#ports = ports;
    this.#applyPatch = applyPatch;
    this.spec = offer === undefined ? undefined : specOf(offer);
  }

  prepare(): void {
    this.#ports.runner.warmUp();
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    const request = parsed.kind === 'ok' ? readRequest(parsed.value, context.settings) : parsed;
    if (request.kind === 'invalid') return toolError(call, this.name, request.message);
    const { command } = request.value;
    const patched = await interceptPatch(call, command, { tool: this.name, applyPatch: this.#applyPatch, context });
    return patched ?? this.#open(call, request.value, context);
  }

  async #open(call: ToolCallItem, request: SessionRequest, context: ToolContext): Promise<ToolResult> {
    const { runner, clock, entropy } = this.#ports;
    const { command, budget, permissions, yieldMs } = request;
    const { signal } = context;
    const bound = bindCommand<SessionCommand>(runner, command);
    const shown = new ShownCommand(call, { ...bound, tool: this.name }, context);
    const startedAtMs = clock.now();
    try {
      const result = await runAuthorized(
        {
          ...bound,
          callId: shown.item.id,
          tty: command.tty,
          permissions,
          execute: (confinement) =>
            runner.openSession(bound.confined(confinement), { yieldMs, signal, onOutput: shown.onOutput }),
          resultOf: ({ end, output }) => (end === undefined ? undefined : { exitCode: exitCodeOf(end), output }),
        },
        context,
      );
      if (result.kind === 'refused') {
        return { output: result.reason, endItem: shown.refused(result.reason), failed: true };
      }
      return lookedAt(result.outcome, { shown, output: sessionText(result.outcome, { budget, entropy }) });
    } catch (error) {
      if (!signal.aborted) throw error;
      const durationMs = clock.now() - startedAtMs;
      const output = `Wall time: ${formatAbortedSeconds(durationMs)} seconds\naborted by user`;
      return { output, endItem: shown.aborted(durationMs), failed: true };
    }
  }
}

/** The result of a call that looked at a session. */
export function lookedAt(
  reading: SessionReading,
  parts: { readonly shown: ShownCommand; readonly output: string },
): ToolResult {
  const { shown, output } = parts;
  const { end, durationMs } = reading;
  if (end?.kind === 'not-started') {
    const message = `exec_command failed: ${end.reason}`;
    return { output: message, endItem: shown.notStarted(message, durationMs), failed: true };
  }
  const printed = readingText(reading);
  if (end === undefined) return { output, endItem: shown.goesOn(printed, durationMs) };
  const exitCode = exitCodeOf(end);
  const endItem = shown.ended({ output: printed, exitCode, durationMs });
  return exitCode === 0 ? { output, endItem } : { output, endItem, failed: true };
}

function readRequest(args: JsonObject, settings: ToolContext['settings']): ArgumentReading<SessionRequest> {
  const reading = readAll({
    script: readScript(args, 'cmd'),
    cwd: readDirectory(args, 'workdir', settings.cwd),
    shell: optional(args, 'shell', 'string'),
    login: readLogin(args, settings.commands.allowLoginShell),
    tty: optional(args, 'tty', 'boolean'),
    yieldMs: readYield(args, YIELD_LIMITS),
    budget: readOutputBudget(args['max_output_tokens'], effectiveTruncation(settings)),
    permissions: readPermissions(args),
  });
  if (reading.kind === 'invalid') return reading;
  const { script, cwd, shell = '', login, tty = false, ...others } = reading.value;
  const command = {
    script,
    login,
    cwd,
    tty,
    environment: PLAIN_ENVIRONMENT,
    ...(shell === '' ? {} : { shell }),
  };
  return { kind: 'ok', value: { command, ...others } };
}
