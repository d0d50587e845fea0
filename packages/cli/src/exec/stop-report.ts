import type { TextSink } from '../process/text-sink.ts';
import { safeLine } from './safe-text.ts';
import type { StopReason } from './stop-switch.ts';

/** Tells why a run was ended early, where the person does not know it already. */
export function describeStop(reason: StopReason, stderr: TextSink): void {
  if (reason.kind === 'deadline') stderr.write(`quire: stopped: the deadline of ${reason.seconds} s has passed\n`);
  if (reason.kind === 'fault') stderr.write(`quire: internal error: ${safeLine(reason.message)}\n`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
