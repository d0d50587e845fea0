import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { CommandEnd } from '@quire/core';
import { timerDelay } from './abort.ts';
import { CapturedOutput, joinOutput, type PrintedOutput } from './captured-output.ts';
import { limitedReport, readStream } from './read-stream.ts';

/** How long to wait for the end of the output after the command exited: a child it left may hold the pipes. */
export const DRAIN_MS = 200;
/** How long to wait for the exit of what was killed: the system may be slow to let go of a process. */
const KILL_WAIT_MS = 1_000;

export interface Supervision {
  readonly child: ChildProcess;
  /** Standard output, then standard error. */
  readonly streams: readonly Socket[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onOutput: ((chunk: string) => void) | undefined;
  /** Kills the whole tree at once; resolves when it has looked for members that left the group. */
  readonly killTree: () => Promise<void>;
}

export interface SupervisedEnd extends PrintedOutput {
  readonly end: CommandEnd;
}

/**
 * Follows a started command to its end. Rejects with the reason of `signal` after the tree was killed.
 * Streams that a leftover child still holds are drained from then on, so that it is not stopped by a full
 * or broken pipe, and no longer keep this process alive.
 */
export function supervise(supervision: Supervision): Promise<SupervisedEnd> {
  const { child, streams, signal } = supervision;
  return new Promise((resolve, reject) => {
    const [stdout, stderr] = [new CapturedOutput(), new CapturedOutput()];
    const report = limitedReport(supervision.onOutput);
    const readings = streams.map((stream, index) =>
      readStream(stream, { captured: index === 0 ? stdout : stderr, report, onEnd: settleIfDone }),
    );
    const timers: NodeJS.Timeout[] = [setTimeout(timeOut, timerDelay(supervision.timeoutMs))];
    let exit: CommandEnd | undefined;
    let stopped: { readonly reason: 'timeout' | 'abort'; readonly killed: Promise<void> } | undefined;

    child.once('exit', onExit);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });

    function onExit(code: number | null, signalName: NodeJS.Signals | null): void {
      exit = commandEnd(code, signalName);
      // One more turn of the event loop after the time is up, for output that a busy process had no time to read.
      timers.push(setTimeout(() => setImmediate(settle), DRAIN_MS));
      settleIfDone();
    }
    function timeOut(): void {
      if (exit === undefined) stop('timeout');
    }
    function abort(): void {
      stop('abort');
    }
    function stop(reason: 'timeout' | 'abort'): void {
      const killed = stopped?.killed ?? supervision.killTree();
      stopped = { reason, killed };
      timers.push(setTimeout(settle, KILL_WAIT_MS));
    }
    function settleIfDone(): void {
      if (exit !== undefined && readings.every((reading) => reading.isEnded())) settle();
    }
    function settle(): void {
      child.removeListener('exit', onExit);
      signal.removeEventListener('abort', abort);
      for (const timer of timers) clearTimeout(timer);
      child.unref();
      for (const reading of readings) reading.finish();
      void (stopped?.killed ?? Promise.resolve()).then(finish);
    }
    function finish(): void {
      if (stopped?.reason === 'abort') {
        reject(signal.reason);
        return;
      }
      const end = stopped !== undefined || exit === undefined ? ({ kind: 'timed-out' } as const) : exit;
      resolve({ end, ...joinOutput(stdout, stderr) });
    }
  });
}

/** How a process ended, from what its `exit` event says. */
export function commandEnd(code: number | null, signalName: NodeJS.Signals | null): CommandEnd {
  return code === null ? { kind: 'signalled', signal: signalName ?? 'unknown' } : { kind: 'exited', exitCode: code };
}
