import { randomBytes } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CellOutcome, Confinement, JavaScriptKernel } from '@quire/core';
import { waitFor } from '../process/abort.ts';
import { Watchdog } from '../process/watchdog.ts';
import { readCell } from './cell-source.ts';
import { findNode } from './find-node.ts';
import type { JavaScriptKernelOptions } from './kernel-options.ts';
import { type KernelEnd, type KernelProcess, startKernel } from './kernel-process.ts';
import { describeKernelEnd, type RunOptions, runCell } from './run-cell.ts';

const DEFAULT_HEAP_LIMIT_MEBIBYTES = 512;
/** Of one cell, in UTF-16 units: far beyond what a model writes. */
const MAX_CODE_LENGTH = 4 * 1024 * 1024;

const FRESH = 'This cell ran in a fresh one: what earlier cells made is gone.';

type KernelReadiness =
  | {
      readonly kind: 'ready';
      readonly kernel: KernelProcess;
      /** It ran cells before. */
      readonly isReused: boolean;
      /** For the model: why it finds itself in a fresh kernel. */
      readonly notice: string | undefined;
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** The kernel of a thread: one process after the other, never two at a time, none before the first cell. */
export class NodeKernel implements JavaScriptKernel {
  readonly #options: JavaScriptKernelOptions;
  readonly #token = randomBytes(16).toString('hex');
  readonly #privateDirectory = path.join(tmpdir(), `quire-${this.#token}`);
  readonly #watchdog = new Watchdog({ token: this.#token, directory: this.#privateDirectory });
  #current: { readonly kernel: KernelProcess; readonly confinement: string } | undefined;
  #nodePath: string | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #kernelCount = 0;
  #cellCount = 0;
  /** The last end of a kernel that the model was told of. */
  #toldEnd: KernelEnd | undefined;
  #isClosed = false;

  constructor(options: JavaScriptKernelOptions) {
    this.#options = options;
  }

  run(code: string, options: RunOptions): Promise<CellOutcome> {
    const previous = this.#last;
    const turn = this.#runAfter(previous, code, options);
    this.#last = Promise.allSettled([previous, turn]).then(() => undefined); // and not what came of them
    return turn;
  }

  async reset(): Promise<void> {
    const kernel = this.#current?.kernel;
    this.#current = undefined;
    await kernel?.kill('it was reset while the cell ran');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#current?.kernel.kill('it was closed while the cell ran');
    await this.#last;
    await this.reset(); // a cell may have been about to start one
    if (this.#kernelCount > 0) await rm(this.#privateDirectory, { recursive: true, force: true });
    await this.#watchdog.close();
  }

  async #runAfter(previous: Promise<unknown>, code: string, options: RunOptions): Promise<CellOutcome> {
    await waitFor(previous, { timeoutMs: Number.POSITIVE_INFINITY, signal: options.signal });
    this.#cellCount += 1;
    const id = `cell-${this.#cellCount}`;
    if (code.length > MAX_CODE_LENGTH) return failedToStart(`the cell is longer than ${MAX_CODE_LENGTH} characters`);
    const reading = await readCell(code, `${id}.js`);
    if (reading.kind === 'invalid') return failedToStart(reading.error);
    const cell = { id, code, bindings: reading.bindings };
    for (;;) {
      const ready = await this.#ready(options);
      options.signal.throwIfAborted();
      if (ready.kind === 'failed') return failedToStart(ready.reason);
      const { outcome, kernelEnd, hasBegun } = await runCell(ready.kernel, cell, options);
      const endedByItself = kernelEnd !== undefined && kernelEnd.killedBecause === undefined;
      // It ended after the cell before, and that was not seen in time.
      if (endedByItself && !hasBegun && ready.isReused) continue;
      this.#toldEnd = kernelEnd;
      if (ready.notice === undefined) return outcome;
      return { ...outcome, output: [ready.notice, outcome.output].filter((text) => text !== '').join('\n') };
    }
  }

  /** The kernel that runs, unless it ended or is confined in another way than this cell is to be. */
  async #ready(options: RunOptions): Promise<KernelReadiness> {
    if (this.#isClosed) throw new Error('the JavaScript kernel is closed');
    const confinement = JSON.stringify(options.confinement);
    const current = this.#current;
    if (current?.confinement === confinement && !current.kernel.isGone) {
      return { kind: 'ready', kernel: current.kernel, isReused: true, notice: undefined };
    }
    let notice: string | undefined;
    if (current !== undefined) {
      this.#current = undefined;
      const end = await current.kernel.kill('what it may touch has changed');
      // A cell that ended together with its kernel has said so itself.
      if (end !== this.#toldEnd) notice = `[${describeKernelEnd(end, FRESH)}]`;
    }
    return this.#start({ ...options, notice });
  }

  async #start(options: RunOptions & { readonly notice: string | undefined }): Promise<KernelReadiness> {
    const environment = this.#options.environment ?? process.env;
    if (this.#nodePath === undefined) {
      const { nodePath: configuredPath, searchEnvironment = environment } = this.#options;
      const search = await findNode({ environment: searchEnvironment, configuredPath });
      if (search.kind === 'unusable') return { kind: 'failed', reason: search.reason };
      this.#nodePath = search.path;
    }
    this.#watchdog.start();
    const temporaryDirectory = await this.#makeTemporaryDirectory();
    if (this.#isClosed) throw new Error('the JavaScript kernel is closed');
    this.#kernelCount += 1;
    const started = await startKernel({
      nodePath: this.#nodePath,
      cwd: options.cwd,
      confinement: withWritableRoot(options.confinement, temporaryDirectory),
      sandbox: this.#options.sandbox,
      environment: kernelEnvironment(environment, { ...this.#options, temporaryDirectory }),
      mark: `${this.#token}.${this.#kernelCount}`,
      watchdog: this.#watchdog,
      heapLimitMebibytes: this.#options.heapLimitMebibytes ?? DEFAULT_HEAP_LIMIT_MEBIBYTES,
      onStart: (groupId) => this.#watchdog.addGroup(groupId),
    });
    if (started.kind === 'failed') return started;
    const { kernel } = started;
    void kernel.ended.then(() => this.#watchdog.removeGroup(kernel.groupId));
    if (this.#isClosed) {
      await kernel.kill('it was closed');
      throw new Error('the JavaScript kernel is closed');
    }
    this.#current = { kernel, confinement: JSON.stringify(options.confinement) };
    return { kind: 'ready', kernel, isReused: false, notice: options.notice };
  }

  async #makeTemporaryDirectory(): Promise<string> {
    const directory = path.join(this.#privateDirectory, 'tmp');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return realpath(directory);
  }
}

/** The kernel's own scratch folder may be written under every sandbox: it holds nothing of anybody else. */
function withWritableRoot(confinement: Confinement, root: string): Confinement {
  if (confinement.kind === 'none') return confinement;
  return { ...confinement, writableRoots: [...confinement.writableRoots, root] };
}

/** What commands inherit, without what would change how Node.js itself starts. */
function kernelEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  options: Pick<JavaScriptKernelOptions, 'threadId' | 'moduleDirectories'> & { readonly temporaryDirectory: string },
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && !NODE_VARIABLES.has(name)) environment[name] = value;
  }
  const directories = options.moduleDirectories?.join(path.delimiter);
  return {
    ...environment,
    ...(directories === undefined ? {} : { CODEX_JS_REPL_NODE_MODULE_DIRS: directories }),
    CODEX_JS_TMP_DIR: options.temporaryDirectory,
    CODEX_THREAD_ID: options.threadId,
  };
}

const NODE_VARIABLES: ReadonlySet<string> = new Set(['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NODE_CHANNEL_FD']);

function failedToStart(error: string): CellOutcome {
  return { kind: 'failed', output: '', images: [], error };
}
