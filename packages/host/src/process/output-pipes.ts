import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';

/** `O_PATH`: a handle on the file's name only, which neither reads nor writes. Not among Node's constants. */
const O_PATH = 0o10000000;
const BATCH_SIZE = 8;
/** It takes milliseconds; but once it fails there are no such pipes any more. */
const MKFIFO_TIMEOUT_MS = 10_000;

/** One way from a command to us. */
export interface OutputPipe {
  readonly reader: Socket;
  /** To be handed to the child, then closed with `closeSync`. */
  readonly writerFd: number;
}

/**
 * Real pipes for the output of commands. What Node's `'pipe'` gives a child is a socket, and on Linux a
 * socket can not be opened again by name: `echo failed > /dev/stderr` would end with "No such device or
 * address". So named pipes are made once in a batch, their names are removed at once, and each is used
 * again after both of its ends were closed.
 *
 * Not in worker threads: these close the descriptors they opened by number once more when they end,
 * although a socket owned them, and may hit somebody else's by then.
 */
export class OutputPipes {
  readonly #path: string | undefined;
  readonly #makeDirectory: () => Promise<string>;
  readonly #free: number[] = [];
  #batch: Promise<void> | undefined;
  #isUnavailable = process.platform !== 'linux' || !isMainThread;
  #isClosed = false;

  constructor(options: {
    /** Where to look for `mkfifo`. */
    readonly path: string | undefined;
    /** Makes an empty directory that only this user can read. */
    readonly makeDirectory: () => Promise<string>;
  }) {
    this.#path = options.path;
    this.#makeDirectory = options.makeDirectory;
  }

  /** Two pipes, or `undefined` where there are none to be had and Node's own have to do. */
  async acquirePair(): Promise<readonly [OutputPipe, OutputPipe] | undefined> {
    while (this.#free.length < 2) {
      if (this.#isUnavailable || this.#isClosed) return undefined;
      await this.prepare();
    }
    const first = this.#open(this.#free.pop());
    if (first === undefined) return undefined;
    const second = this.#open(this.#free.pop());
    if (second !== undefined) return [first, second];
    releasePipes([first]);
    return undefined;
  }

  /** Makes more pipes. Never rejects. */
  prepare(): Promise<void> {
    if (this.#isUnavailable || this.#isClosed) return Promise.resolve();
    this.#batch ??= this.#makeBatch().finally(() => {
      this.#batch = undefined;
    });
    return this.#batch;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#batch;
    for (const fd of this.#free.splice(0)) closeSync(fd);
  }

  #open(handle: number | undefined): OutputPipe | undefined {
    if (handle === undefined) return undefined;
    let readerFd: number | undefined;
    try {
      const name = `/proc/self/fd/${handle}`;
      readerFd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
      const writerFd = openSync(name, constants.O_WRONLY);
      const reader = new Socket({ fd: readerFd, readable: true, writable: false });
      reader.once('close', () => this.#release(handle));
      return { reader, writerFd };
    } catch {
      // no /proc, or out of descriptors: Node's own pipes will report what is wrong, if anything is
      if (readerFd !== undefined) closeSync(readerFd);
      this.#release(handle);
      return undefined;
    }
  }

  #release(handle: number): void {
    if (this.#isClosed) closeSync(handle);
    else this.#free.push(handle);
  }

  async #makeBatch(): Promise<void> {
    let directory: string | undefined;
    try {
      directory = await this.#makeDirectory();
      const names = Array.from({ length: BATCH_SIZE }, (_, index) => join(directory ?? '', String(index)));
      const environment = this.#path === undefined ? {} : { PATH: this.#path };
      await promisify(execFile)('mkfifo', ['-m', '600', ...names], { env: environment, timeout: MKFIFO_TIMEOUT_MS });
      for (const name of names) this.#release(openSync(name, O_PATH));
    } catch {
      this.#isUnavailable = true; // no mkfifo, or nowhere to put them
    } finally {
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    }
  }
}

/** For pipes that were acquired and never handed to a child. */
export function releasePipes(pipes: readonly OutputPipe[] = []): void {
  for (const { reader, writerFd } of pipes) {
    closeSync(writerFd);
    reader.destroy();
  }
}
