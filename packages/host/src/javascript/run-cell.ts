import type { CellImage, CellOutcome, JavaScriptKernel } from '@quire/core';
import { timerDelay } from '../process/abort.ts';
import { checkEmittedImage } from './emitted-image.ts';
import type { CellBinding, KernelMessage } from './kernel-messages.ts';
import type { CellMessage, KernelEnd, KernelProcess } from './kernel-process.ts';

/** Calls of tools that a cell may have under way at the same time. */
const MAX_CALLS = 100;

const NEXT_IS_FRESH = 'The next cell starts a fresh one: what earlier cells made is gone.';

export type RunOptions = Parameters<JavaScriptKernel['run']>[1];

export interface Cell {
  /** Unique in its kernel; names the cell in stack traces. */
  readonly id: string;
  readonly code: string;
  readonly bindings: readonly CellBinding[];
}

export interface CellRun {
  readonly outcome: CellOutcome;
  /** `false`: the kernel ended before it got to it. */
  readonly hasBegun: boolean;
  /** The kernel ended with the cell, and the outcome says so. */
  readonly kernelEnd: KernelEnd | undefined;
}

/**
 * Runs one cell to its end, and the calls of tools that it made. Its time limit does not run while such a call is under
 * way: tools have limits of their own, and a person who is asked may take their time.
 */
export async function runCell(kernel: KernelProcess, cell: Cell, options: RunOptions): Promise<CellRun> {
  const { signal, timeoutMs } = options;
  const limit = new StoppableLimit(timeoutMs, () => {
    void kernel.kill(`the cell did not end within ${timeoutMs} milliseconds`);
  });
  const abort = (): void => void kernel.kill('it was aborted');
  const guests = new CellGuests(kernel, { callTool: options.callTool, limit });
  let hasBegun = false;
  using _ = kernel.hold();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const end = await new Promise<CellEnd>((resolve) => {
      kernel.listen((message) => {
        if (message.type === 'exec_begun') hasBegun = true;
        else if (message.type !== 'exec_result') guests.serve(message);
        else if (message.id === cell.id) resolve({ kind: 'result', message });
      });
      void kernel.ended.then((ended) => resolve({ kind: 'kernel-ended', ended }));
      if (signal.aborted) abort();
      else kernel.send({ type: 'exec', ...cell, cwd: options.cwd });
    });
    limit.end();
    await guests.allServed();
    if (signal.aborted) await kernel.ended;
    signal.throwIfAborted();
    const shared = { output: kernel.takePrinted().replace(/\n$/, ''), images: guests.images };
    if (end.kind === 'kernel-ended') {
      const error = describeKernelEnd(end.ended, NEXT_IS_FRESH);
      return { outcome: { kind: 'failed', ...shared, error }, kernelEnd: end.ended, hasBegun };
    }
    const { ok, error } = end.message;
    const outcome = ok ? ({ kind: 'done', ...shared } as const) : ({ kind: 'failed', ...shared, error } as const);
    return { outcome, kernelEnd: undefined, hasBegun };
  } finally {
    limit.end();
    kernel.listen(/* listener */ undefined);
    signal.removeEventListener('abort', abort);
  }
}

type CellResult = Extract<KernelMessage, { type: 'exec_result' }>;

type CellEnd =
  | { readonly kind: 'result'; readonly message: CellResult }
  | { readonly kind: 'kernel-ended'; readonly ended: KernelEnd };

/** What became of a kernel, for the model. @param consequence a sentence */
export function describeKernelEnd(end: KernelEnd, consequence: string): string {
  const [reason, details] = reasonOf(end);
  return [`The JavaScript kernel was ended: ${reason}. ${consequence}`, ...details].join('\n');
}

function reasonOf(end: KernelEnd): readonly [reason: string, details: readonly string[]] {
  if (end.killedBecause !== undefined) return [end.killedBecause, []];
  if (end.lastWords !== undefined) {
    const what = end.lastWords.reason === 'exception' ? 'an exception was not caught' : 'a rejection was not handled';
    return [what, [end.lastWords.error]];
  }
  if (end.fatalLine?.includes('out of memory') === true) return ['it ran out of memory', []];
  return ['its process ended unexpectedly', [JSON.stringify({ status: end.status, stderr: end.stderr })]];
}

/** What a cell asks of the host while it runs. */
class CellGuests {
  readonly images: CellImage[] = [];
  readonly #kernel: KernelProcess;
  readonly #callTool: RunOptions['callTool'];
  readonly #limit: StoppableLimit;
  readonly #calls = new Set<Promise<void>>();

  constructor(
    kernel: KernelProcess,
    options: { readonly callTool: RunOptions['callTool']; readonly limit: StoppableLimit },
  ) {
    this.#kernel = kernel;
    this.#callTool = options.callTool;
    this.#limit = options.limit;
  }

  serve(message: Extract<CellMessage, { type: 'run_tool' | 'emit_image' }>): void {
    if (message.type === 'emit_image') this.#takeImage(message);
    else this.#startCall(message);
  }

  async allServed(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }

  #takeImage(message: Extract<CellMessage, { type: 'emit_image' }>): void {
    const verdict = checkEmittedImage(message, this.images);
    if (verdict.kind === 'taken') this.images.push(verdict.image);
    const answer = { type: 'emit_image_result', id: message.id } as const;
    this.#kernel.send(
      verdict.kind === 'taken' ? { ...answer, ok: true } : { ...answer, ok: false, error: verdict.reason },
    );
  }

  #startCall(message: Extract<CellMessage, { type: 'run_tool' }>): void {
    const answer = { type: 'run_tool_result', id: message.id } as const;
    if (this.#calls.size >= MAX_CALLS) {
      this.#kernel.send({ ...answer, ok: false, error: `a cell can have ${MAX_CALLS} calls of tools under way` });
      return;
    }
    this.#limit.stop();
    const call = this.#callTool(message.toolName, message.input).then((response) => {
      this.#calls.delete(call);
      if (this.#calls.size === 0) this.#limit.resume();
      this.#kernel.send({ ...answer, ok: true, response });
    });
    this.#calls.add(call);
  }
}

/** A time limit that can be made to wait. */
class StoppableLimit {
  readonly #onOver: () => void;
  #restMs: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(timeoutMs: number, onOver: () => void) {
    this.#restMs = timeoutMs;
    this.#onOver = onOver;
    this.resume();
  }

  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#restMs -= performance.now() - this.#startedAt;
  }

  resume(): void {
    if (this.#isEnded || this.#timer !== undefined) return;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(this.#onOver, timerDelay(Math.max(0, this.#restMs)));
  }

  end(): void {
    this.#isEnded = true;
    this.stop();
  }
}
