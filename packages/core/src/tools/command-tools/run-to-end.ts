import type { ToolCallItem, TruncationPolicy } from '@quire/protocol';
import { runAuthorized } from '../../approval/authorize-command.ts';
import { bindCommand } from '../../approval/bound-command.ts';
import type { RequestedPermissions } from '../../approval/requested-permissions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CommandOutcome, CommandRunner, ProgramCall, ShellScript } from '../../ports/command-runner.ts';
import type { ApplyPatchTool } from '../apply-patch.ts';
import { effectiveTruncation } from '../effective-truncation.ts';
import { formatAbortedSeconds, type ToolContext, type ToolResult } from '../tool.ts';
import { ShownCommand } from './command-item.ts';
import { type EndedCommand, exitCodeOf, printedText } from './command-text.ts';
import { interceptPatch } from './intercept-patch.ts';

export interface CommandPorts {
  readonly runner: CommandRunner;
  readonly clock: Clock;
}

export interface CommandRequest {
  /** Name of the tool. */
  readonly tool: string;
  readonly command: Omit<ShellScript, 'confinement'> | Omit<ProgramCall, 'confinement'>;
  readonly timeoutMs: number;
  readonly permissions: RequestedPermissions;
  /** What the model is told of a command that ran. */
  readonly format: (command: EndedCommand, truncation: TruncationPolicy) => string;
}

type BoundedCommand = Parameters<CommandRunner['run']>[0];

/** Runs a command of the model to its end: patches are applied here, all else is authorized, shown and run. */
export async function runToEnd(
  call: ToolCallItem,
  request: CommandRequest,
  parts: { readonly ports: CommandPorts; readonly applyPatch: ApplyPatchTool; readonly context: ToolContext },
): Promise<ToolResult> {
  const { ports, context } = parts;
  const { tool, timeoutMs } = request;
  const patched = await interceptPatch(call, request.command, { ...parts, tool });
  if (patched !== undefined) return patched;
  const bound = bindCommand<BoundedCommand>(ports.runner, { ...request.command, timeoutMs });
  const shown = new ShownCommand(call, { ...bound, tool }, context);
  const startedAtMs = ports.clock.now();
  try {
    const result = await runAuthorized(
      {
        ...bound,
        callId: shown.item.id,
        permissions: request.permissions,
        execute: (confinement) =>
          ports.runner.run(bound.confined(confinement), { signal: context.signal, onOutput: shown.onOutput }),
        resultOf: ({ end, output }) => ({ exitCode: exitCodeOf(end), output }),
      },
      context,
    );
    if (result.kind === 'refused') {
      return { output: result.reason, endItem: shown.refused(result.reason), failed: true };
    }
    return ended(result.outcome, { shown, request, truncation: effectiveTruncation(context.settings) });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    const durationMs = ports.clock.now() - startedAtMs;
    const output = `Wall time: ${formatAbortedSeconds(durationMs)} seconds\naborted by user`;
    return { output, endItem: shown.aborted(durationMs), failed: true };
  }
}

function ended(
  outcome: CommandOutcome,
  parts: { readonly shown: ShownCommand; readonly request: CommandRequest; readonly truncation: TruncationPolicy },
): ToolResult {
  const { shown, request } = parts;
  const { end, durationMs, totalLines } = outcome;
  if (end.kind === 'not-started') {
    const output = `execution error: ${end.reason}`;
    return { output, endItem: shown.notStarted(output, durationMs), failed: true };
  }
  const printed = printedText(end, outcome.output, request.timeoutMs);
  const exitCode = exitCodeOf(end);
  const output = request.format({ printed, exitCode, totalLines, durationMs }, parts.truncation);
  const endItem = shown.ended({ output: printed, exitCode, durationMs });
  return exitCode === 0 ? { output, endItem } : { output, endItem, failed: true };
}
