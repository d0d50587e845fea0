import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { CommandEnd } from '@quire/core';
import { CapturedOutput, joinOutput } from './captured-output.ts';

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

export interface SupervisedEnd {
  readonly end: CommandEnd;
  readonly output: string;
}

/**
 * Follows a started command to its end. Rejects with the reason of `signal` after the tree was killed.
 * Streams that a leftover child still holds are drained from then on, so that it is not stopped by a full
 * or broken pipe, and no longer keep this process alive.
 */
export function supervise(supervision: Supervision): Promise<SupervisedEnd> {
  const { child, streams, signal } = supervision;
  return new Promise((resolve, reject) => {
    const readings = readStreams(streams, supervision.onOutput, settleIfDone);
    const timers: NodeJS.Timeout[] = [setTimeout(timeOut, supervision.timeoutMs)];
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
      const [stdout, stderr] = readings.map((reading) => reading.bytes());
      const output = joinOutput(stdout ?? new Uint8Array(0), stderr ?? new Uint8Array(0));
      resolve({ end: stopped !== undefined || exit === undefined ? { kind: 'timed-out' } : exit, output });
    }
  });
}

interface StreamReading {
  isEnded(): boolean;
  bytes(): Uint8Array;
  /** Reports what is left of the text and stops keeping anything. Calling it twice is fine. */
  finish(): void;
}

function readStreams(
  streams: readonly Socket[],
  onOutput: ((chunk: string) => void) | undefined,
  onEnd: () => void,
): StreamReading[] {
  let deltas = 0;
  const report = (text: string): void => {
    if (text === '' || deltas >= MAX_DELTAS) return;
    deltas += 1;
    onOutput?.(text);
  };
  return streams.map((stream) => readStream(stream, onOutput === undefined ? undefined : report, onEnd));
}

function readStream(stream: Socket, report: ((text: string) => void) | undefined, onEnd: () => void): StreamReading {
  const captured = new CapturedOutput();
  const decoder = report === undefined ? undefined : new StringDecoder('utf8');
  let isEnded = false;
  let isFinished = false;
  const take = (chunk: Buffer): void => {
    captured.append(chunk);
    if (decoder !== undefined) report?.(decoder.write(chunk));
  };
  const end = (): void => {
    isEnded = true;
    if (!isFinished) onEnd();
  };
  stream.on('data', take);
  stream.once('end', end);
  stream.once('close', end);
  stream.on('error', end); // stays: a late error must not become an uncaught one
  return {
    isEnded: () => isEnded,
    bytes: () => captured.bytes(),
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
