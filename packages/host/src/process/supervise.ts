import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { CommandEnd } from '@quire/core';
import { timerDelay } from './abort.ts';
import { CapturedOutput, joinOutput, type PrintedOutput } from './captured-output.ts';

/** How long to wait for the end of the output after the command exited: a child it left may hold the pipes. */
const DRAIN_MS = 200;
/** How long to wait for the exit of what was killed: the system may be slow to let go of a process. */
const KILL_WAIT_MS = 1_000;
/** Live deltas per command. Source: core-runtime 11.3. */
const MAX_DELTAS = 10_000;

export interface Supervision {
  readonly child: ChildProcess;
  readonly streams: readonly [stdout: Socket, stderr: Socket];
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
    const readings = [
      readStream(streams[0], { captured: stdout, report, onEnd: settleIfDone }),
      readStream(streams[1], { captured: stderr, report, onEnd: settleIfDone }),
    ];
    const timers: NodeJS.Timeout[] = [setTimeout(timeOut, timerDelay(supervision.timeoutMs))];
    let exit: CommandEnd | undefined;
    let stopped: { readonly reason: 'timeout' | 'abort'; readonly killed: Promise<void> } | undefined;

    child.once('exit', onExit);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });

    function onExit(code: number | null, signalName: NodeJS.Signals | null): void {
      exit =
        code === null ? { kind: 'signalled', signal: signalName ?? 'unknown' } : { kind: 'exited', exitCode: code };
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

interface StreamReading {
  isEnded(): boolean;
  /** Reports what is left of the text and stops keeping anything. Calling it twice is fine. */
  finish(): void;
}

type Report = (text: string) => void;

function limitedReport(onOutput: Report | undefined): Report | undefined {
  if (onOutput === undefined) return undefined;
  let deltas = 0;
  return (text) => {
    if (text === '' || deltas >= MAX_DELTAS) return;
    deltas += 1;
    onOutput(text);
  };
}

function readStream(
  stream: Socket,
  to: { readonly captured: CapturedOutput; readonly report: Report | undefined; readonly onEnd: () => void },
): StreamReading {
  const { captured, report } = to;
  const decoder = report === undefined ? undefined : new StringDecoder('utf8');
  let isEnded = false;
  let isFinished = false;
  const take = (chunk: Buffer): void => {
    captured.append(chunk);
    if (decoder !== undefined) report?.(decoder.write(chunk));
  };
  const end = (): void => {
    isEnded = true;
    if (!isFinished) to.onEnd();
  };
  stream.on('data', take);
  stream.once('end', end);
  stream.once('close', end);
  stream.on('error', end); // stays: a late error must not become an uncaught one
  return {
    isEnded: () => isEnded,
    finish: () => {
      if (isFinished) return;
      isFinished = true;
      if (decoder !== undefined) report?.(decoder.end());
      stream.removeListener('data', take);
      if (isEnded) return;
      stream.unref();
      stream.resume();
    },
  };
}
