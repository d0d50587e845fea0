import type { TruncationPolicy } from '@quire/protocol';
import { fitsBudget, truncateMiddle } from '../../history/truncate-output.ts';
import type { CommandEnd } from '../../ports/command-runner.ts';
import { formatSeconds } from '../tool.ts';

const TIMEOUT_EXIT_CODE = 124;

/** Told of a command that printed `output` until it ended. */
export interface EndedCommand {
  /** What it printed, with a first line that says how it ended where that is no exit. */
  readonly printed: string;
  readonly exitCode: number;
  readonly totalLines: number;
  readonly durationMs: number;
}

/** Of a command that ran at all. */
export function exitCodeOf(end: CommandEnd): number {
  if (end.kind === 'exited') return end.exitCode;
  return end.kind === 'timed-out' ? TIMEOUT_EXIT_CODE : -1;
}

export function printedText(end: CommandEnd, output: string, timeoutMs: number): string {
  if (end.kind === 'timed-out') return `command timed out after ${timeoutMs} milliseconds\n${output}`;
  return end.kind === 'signalled' ? `command was ended by signal ${end.signal}\n${output}` : output;
}

/** The text form of the peer's `shell_command`. */
export function asText(command: EndedCommand, truncation: TruncationPolicy): string {
  const lines = [`Exit code: ${command.exitCode}`, `Wall time: ${formatSeconds(command.durationMs)} seconds`];
  if (!fitsBudget(command.printed, truncation)) lines.push(`Total output lines: ${command.totalLines}`);
  lines.push('Output:', truncateMiddle(command.printed, truncation));
  return lines.join('\n');
}

/** The JSON form of the peer's `shell`. */
export function asJson(command: EndedCommand, truncation: TruncationPolicy): string {
  return JSON.stringify({
    output: truncateCounted(command.printed, command.totalLines, truncation),
    metadata: { exit_code: command.exitCode, duration_seconds: Number(formatSeconds(command.durationMs)) },
  });
}

/** Text that had to be cut begins with the number of lines that it had. */
export function truncateCounted(text: string, totalLines: number, truncation: TruncationPolicy): string {
  if (fitsBudget(text, truncation)) return text;
  return `Total output lines: ${totalLines}\n\n${truncateMiddle(text, truncation)}`;
}
