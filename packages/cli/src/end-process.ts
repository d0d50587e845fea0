import { isOutputWaiting } from './waiting-output.ts';

/** Time for the event loop to run out by itself after a command has ended, in milliseconds. */
const LINGER_MS = 500;

/** What ends a process from outside. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** What a command leaves behind. */
export interface CommandResult {
  readonly exitCode: number;
  /** `false`: output may be left that nobody takes; the process is ended and not just let run out. */
  readonly settled: boolean;
}

/**
 * Everything is closed and flushed by now; a handle that somebody forgot must not keep the process. A signal in the
 * meantime only makes it end sooner: what the command has come to stays. So no command takes its listeners off, and the
 * process never just runs out: the system would do with a signal what it does with one that nobody listens to.
 */
export function endProcess(result: CommandResult): void {
  process.exitCode = result.exitCode;
  for (const signal of STOP_SIGNALS) process.on(signal, () => process.exit());
  process.on('beforeExit', () => process.exit());
  if (result.settled) leaveSoon();
  else process.exit();
}

/** A slow reader gets all of it. */
function leaveSoon(): void {
  setTimeout(() => (isOutputWaiting() ? leaveSoon() : process.exit()), LINGER_MS).unref();
}
