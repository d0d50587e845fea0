import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Confinement } from '@quire/core';
import { JsonLinesDecoder, LineTooLongError } from '@quire/streams';
import { CapturedOutput, joinOutput } from '../process/captured-output.ts';
import { killGroup, killMarkedProcesses, OWNER_VARIABLE } from '../process/marked-processes.ts';
import type { Watchdog } from '../process/watchdog.ts';
import { systemReason } from '../system-reason.ts';
import { type HostMessage, type KernelMessage, parseKernelMessage } from './kernel-messages.ts';
import { KERNEL_PROGRAM } from './kernel-program.ts';
import type { KernelSandbox, WrappedKernel } from './kernel-sandbox.ts';
import { StderrTail } from './stderr-tail.ts';

/** The kernel sends no message over 32 MiB; what is longer was not sent by our program. */
const MAX_MESSAGE_BYTES = 33 * 1024 * 1024;
/** How long to wait for the last messages of a kernel that ended, and for the end of one that was killed. */
const DRAIN_MS = 200;
const KILL_WAIT_MS = 1_000;

/** Memory that is not part of the heap of JavaScript objects: buffers, compiled code, stacks. */
const MEMORY_BESIDE_HEAP_MEBIBYTES = 1024;
/** No file with the memory of a kernel that ran out of it; and buffers, too, have a limit, where the system can set one. */
const LIMITED = 'ulimit -c 0; ulimit -d "$1" 2>/dev/null; shift; exec "$@"';

/** Descriptors of the messages, in the kernel. Above those that a sandbox may need. */
const TO_KERNEL = 10;
const FROM_KERNEL = 11;

export interface KernelStart {
  readonly nodePath: string;
  readonly cwd: string;
  readonly confinement: Confinement;
  readonly sandbox: KernelSandbox | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Value of `OWNER_VARIABLE`, of this kernel alone. */
  readonly mark: string;
  readonly watchdog: Pick<Watchdog, 'marked'>;
  readonly heapLimitMebibytes: number;
  /** Called the moment the process exists, with its group. */
  readonly onStart: (groupId: number) => void;
}

export type KernelStartResult =
  | { readonly kind: 'started'; readonly kernel: KernelProcess }
  | { readonly kind: 'failed'; readonly reason: string };

/** How a kernel ended. */
export interface KernelEnd {
  /** Why it was killed by us; absent: it ended by itself. */
  readonly killedBecause: string | undefined;
  /** `exit code 1` or `signal SIGABRT`. */
  readonly status: string;
  readonly stderr: string;
  /** What the engine gave as the reason of its end, such as a lack of memory. */
  readonly fatalLine: string | undefined;
  /** An error that nobody handled. */
  readonly lastWords: Extract<KernelMessage, { type: 'fatal' }> | undefined;
}

/** Starts the process of a kernel, confined or not at all. Never rejects. */
export async function startKernel(start: KernelStart): Promise<KernelStartResult> {
  try {
    const wrapped = await wrapKernel(start);
    if (wrapped.kind === 'unavailable') return { kind: 'failed', reason: wrapped.reason };
    return { kind: 'started', kernel: await spawnKernel(start, wrapped) };
  } catch (error) {
    const reason = `the JavaScript kernel could not be started in ${start.cwd} (${systemReason(error)})`;
    return { kind: 'failed', reason };
  }
}

type ReadyStart = Extract<WrappedKernel, { kind: 'ready' }>;

async function spawnKernel(start: KernelStart, wrapped: ReadyStart): Promise<KernelProcess> {
  try {
    const child = spawn(wrapped.path, wrapped.args, {
      cwd: start.cwd,
      detached: true,
      env: wrapped.environment,
      stdio: descriptorsOf(wrapped.extraFds),
    });
    if (child.pid === undefined) {
      const [error]: unknown[] = await once(child, 'error'); // announced for the next tick
      throw error;
    }
    start.onStart(child.pid);
    const kernel = new KernelProcess(child, { groupId: child.pid, mark: start.mark });
    void kernel.ended.then(() => wrapped.release());
    return kernel;
  } catch (error) {
    wrapped.release();
    throw error;
  }
}

async function wrapKernel(start: KernelStart): Promise<WrappedKernel> {
  const { cwd, confinement } = start;
  const environment = { ...start.environment, [OWNER_VARIABLE]: start.mark };
  const argv = await start.watchdog.marked(kernelArgv(start), { cwd, environment });
  if (confinement.kind === 'none') {
    const [path, ...args] = argv;
    return { kind: 'ready', path, args, environment, extraFds: [], release: () => undefined };
  }
  if (start.sandbox !== undefined)
    return start.sandbox.wrap({ argv, cwd, confinement, environment, passedFds: [TO_KERNEL, FROM_KERNEL] });
  return { kind: 'unavailable', reason: 'there is no sandbox to run the JavaScript kernel in' };
}

function kernelArgv(start: KernelStart): readonly [string, ...string[]] {
  const dataLimitKibibytes = (start.heapLimitMebibytes + MEMORY_BESIDE_HEAP_MEBIBYTES) * 1024;
  return [
    '/bin/sh',
    '-c',
    LIMITED,
    'quire-js-kernel',
    String(dataLimitKibibytes),
    start.nodePath,
    '--experimental-vm-modules',
    '--experimental-import-meta-resolve',
    '--no-warnings',
    `--max-old-space-size=${start.heapLimitMebibytes}`,
    '--input-type=module',
    '--eval',
    KERNEL_PROGRAM,
    String(TO_KERNEL),
    String(FROM_KERNEL),
  ];
}

/** Nothing to read, nowhere to print; then those of the sandbox, then ours. */
function descriptorsOf(extraFds: readonly number[]): StdioOptions {
  const first = ['ignore', 'ignore', 'pipe', ...extraFds] as const;
  const unused = Array.from({ length: TO_KERNEL - first.length }, () => 'ignore' as const);
  return [...first, ...unused, 'pipe', 'pipe'];
}

/** A kernel that runs, or did. It does not keep this process alive, but for as long as it is held. */
export class KernelProcess {
  /** Never rejects. Everything that the kernel started is gone by then. */
  readonly ended: Promise<KernelEnd>;
  /** It leads this process group. */
  readonly groupId: number;
  readonly #child: ChildProcess;
  readonly #marker: string;
  readonly #toKernel: Socket;
  readonly #fromKernel: Socket;
  readonly #stderr: Socket;
  readonly #stderrTail = new StderrTail();
  #printed = new CapturedOutput();
  #listener: ((message: CellMessage) => void) | undefined;
  #killedBecause: string | undefined;
  #lastWords: KernelEnd['lastWords'];
  /** Fires when a process that was killed is not seen to end: the system may be slow to let go of it. */
  readonly #givenUp = new AbortController();

  constructor(child: ChildProcess, options: { readonly groupId: number; readonly mark: string }) {
    this.#child = child;
    this.groupId = options.groupId;
    this.#marker = `${OWNER_VARIABLE}=${options.mark}\0`;
    // Made as pipes above, so these are sockets.
    const [stderr, toKernel, fromKernel] = [2, TO_KERNEL, FROM_KERNEL].map((fd) => child.stdio[fd]) as [
      Socket,
      Socket,
      Socket,
    ];
    this.#stderr = stderr;
    this.#toKernel = toKernel;
    this.#fromKernel = fromKernel;
    stderr.on('data', (chunk: Buffer) => this.#stderrTail.append(chunk));
    const decoder = new JsonLinesDecoder({ maxLineBytes: MAX_MESSAGE_BYTES });
    fromKernel.on('data', (chunk: Buffer) => this.#read(decoder, chunk));
    // A kernel that is gone is noticed by its exit.
    for (const stream of [stderr, toKernel, fromKernel]) stream.on('error', () => undefined);
    this.ended = this.#follow();
    this.#setReferenced({ isReferenced: false });
  }

  /** Its process has ended; the rest of it may still be on its way. */
  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Keeps this process alive. Dispose of it. */
  hold(): Disposable {
    this.#setReferenced({ isReferenced: true });
    return { [Symbol.dispose]: () => this.#setReferenced({ isReferenced: false }) };
  }

  /** From now on this one gets what the kernel says. It must not throw. */
  listen(listener: ((message: CellMessage) => void) | undefined): void {
    this.#listener = listener;
  }

  send(message: HostMessage): void {
    if (this.#toKernel.writable) this.#toKernel.write(`${JSON.stringify(message)}\n`);
  }

  /** What was printed since the last call; of more than one MiB the middle is missing. */
  takePrinted(): string {
    const { output } = joinOutput(this.#printed, new CapturedOutput());
    this.#printed = new CapturedOutput();
    return output;
  }

  /** Ends it with all that it started. The first reason counts. */
  kill(because: string): Promise<KernelEnd> {
    if (!this.isGone) {
      this.#killedBecause ??= because;
      killGroup(this.groupId);
      const timer = setTimeout(() => this.#givenUp.abort(), KILL_WAIT_MS);
      void this.ended.then(() => clearTimeout(timer));
    }
    return this.ended;
  }

  #read(decoder: JsonLinesDecoder, chunk: Buffer): void {
    try {
      decoder.push(chunk, (line) => {
        const message = parseKernelMessage(line);
        if (message === undefined) void this.kill('what it sent was no message');
        else this.#take(message);
      });
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      this.#fromKernel.removeAllListeners('data').resume();
      void this.kill('it sent a message that is too long');
    }
  }

  #take(message: KernelMessage): void {
    if (message.type === 'output') this.#printed.append(Buffer.from(message.text));
    else if (message.type === 'fatal') this.#lastWords = message;
    else this.#listener?.(message);
  }

  async #follow(): Promise<KernelEnd> {
    await once(this.#child, 'exit', { signal: this.#givenUp.signal }).catch(() => undefined);
    const { exitCode, signalCode } = this.#child;
    await Promise.all([drained(this.#fromKernel), drained(this.#stderr)]);
    killGroup(this.groupId);
    await killMarkedProcesses(this.#marker);
    for (const stream of this.#child.stdio) stream?.destroy();
    return {
      killedBecause: this.#killedBecause,
      status: exitCode === null ? `signal ${signalCode ?? 'unknown'}` : `exit code ${exitCode}`,
      stderr: this.#stderrTail.text,
      fatalLine: this.#stderrTail.fatalLine,
      lastWords: this.#lastWords,
    };
  }

  #setReferenced({ isReferenced }: { readonly isReferenced: boolean }): void {
    const parts = [this.#child, ...this.#child.stdio.filter((stream) => stream !== null)] as (ChildProcess | Socket)[];
    for (const part of parts) {
      if (isReferenced) part.ref();
      else part.unref();
    }
  }
}

/** Messages that concern a cell. */
export type CellMessage = Exclude<KernelMessage, { type: 'output' | 'fatal' }>;

/** A process that the kernel left behind may hold the other end. */
async function drained(stream: Socket): Promise<void> {
  if (stream.closed || stream.destroyed) return;
  const timeout = AbortSignal.timeout(DRAIN_MS);
  await once(stream, 'close', { signal: timeout }).catch(() => undefined);
}
