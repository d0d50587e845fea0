import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { timerDelay } from './abort.ts';
import { CapturedOutput } from './captured-output.ts';

export type ProgramEnd =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  /** It came to no end of its own, or printed far too much; `problem` is a predicate behind its name. */
  | { readonly kind: 'fault'; readonly problem: string };

/** Of each of the two streams. Whoever prints more is stopped. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** How long to wait for the end of the output after the exit: something left behind may hold the pipes. */
const DRAIN_MS = 200;
/** How long to wait for the exit of what was killed. */
const KILL_WAIT_MS = 1_000;

export interface Following {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Never rejects. */
  readonly killTree: () => Promise<void>;
}

/**
 * Follows a program to its end, or kills it. What it leaves running may go on, and its output is thrown away. Rejects
 * with the reason of `signal`.
 */
export function follow(child: ChildProcess, { timeoutMs, signal, killTree }: Following): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    const onFlood = (): void => stop(`printed more than ${MAX_OUTPUT_BYTES} bytes`);
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => read(stream, { onEnd, onFlood }));
    const timers = [setTimeout(timeOut, timerDelay(timeoutMs))];
    let exit: { readonly code: number | null; readonly signalName: string | null } | undefined;
    let stopped: { readonly problem: string; readonly killed: Promise<void> } | undefined;

    child.once('exit', onExit);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });

    function onExit(code: number | null, signalName: string | null): void {
      exit = { code, signalName };
      // One more turn of the event loop after the time is up, for output that a busy process had no time to read.
      timers.push(setTimeout(() => setImmediate(settle), DRAIN_MS));
      onEnd();
    }
    function timeOut(): void {
      if (exit === undefined) stop(`gave no answer in ${timeoutMs / 1000} s`);
    }
    function abort(): void {
      stop('was stopped');
    }
    function stop(problem: string): void {
      stopped ??= { problem, killed: killTree() };
      timers.push(setTimeout(settle, KILL_WAIT_MS));
    }
    function onEnd(): void {
      if (exit !== undefined && stdout?.isEnded() === true && stderr?.isEnded() === true) settle();
    }
    function settle(): void {
      child.removeListener('exit', onExit);
      signal.removeEventListener('abort', abort);
      for (const timer of timers) clearTimeout(timer);
      child.stdin?.destroy();
      child.unref();
      const [printed, complaint] = [stdout?.finish() ?? '', stderr?.finish() ?? ''];
      void (stopped?.killed ?? Promise.resolve()).then(() => {
        if (signal.aborted) reject(signal.reason);
        else if (stopped !== undefined) resolve({ kind: 'fault', problem: stopped.problem });
        else if (exit?.code == null)
          resolve({ kind: 'fault', problem: `was killed by ${exit?.signalName ?? 'somebody'}` });
        else resolve({ kind: 'exited', exitCode: exit.code, stdout: printed, stderr: complaint });
      });
    }
  });
}

interface Reading {
  isEnded(): boolean;
  /** What was printed. From then on nothing is kept or reported, and the stream holds nobody up. */
  finish(): string;
}

function read(stream: Readable | null, on: { readonly onEnd: () => void; readonly onFlood: () => void }): Reading {
  const captured = new CapturedOutput();
  let isEnded = stream === null;
  const take = (chunk: Buffer): void => {
    captured.append(chunk);
    if (captured.totalBytes > MAX_OUTPUT_BYTES) on.onFlood();
  };
  const end = (): void => {
    isEnded = true;
    on.onEnd();
  };
  stream?.on('data', take);
  stream?.once('end', end);
  stream?.on('error', () => undefined); // a late error must not become an uncaught one
  return {
    isEnded: () => isEnded,
    finish: () => {
      stream?.removeListener('data', take);
      stream?.removeListener('end', end);
      if (!isEnded) letGo(stream);
      return captured.totalBytes > MAX_OUTPUT_BYTES ? '' : textOf(captured);
    },
  };
}

function textOf(captured: CapturedOutput): string {
  return new TextDecoder().decode(captured.first(captured.totalBytes));
}

/** Drains what is left behind, so that it is not stopped by a full or broken pipe. */
function letGo(stream: Readable | null): void {
  if (stream === null) return;
  if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
  stream.resume();
}
