import fs from 'node:fs';
import { describeSystemError, systemErrorCode } from '@quire/files';
import { RolloutError } from './rollout-error.ts';

/** `fs.writeSync`, or what a test puts in its place. May write less than asked. */
export type WriteBytes = (fd: number, bytes: Uint8Array, offset: number, length: number) => number;

const LINE_FEED = 10;
const BUSY_PAUSE_MS = 10;
const BUSY_PAUSES = 100;

/**
 * An open file of lines that only grows. One `append` is all or nothing: what a failed one left behind is cut
 * off again or, if even that fails, fenced off with a line feed so that later lines stay readable.
 */
export class AppendFile {
  readonly path: string;
  readonly #write: WriteBytes;
  #fd: number | undefined;
  #atLineStart = true;

  /** @param fd open for reading and appending; closed by `close`. The file ends with a line feed or is empty. */
  constructor(options: { readonly path: string; readonly fd: number; readonly write?: WriteBytes }) {
    this.path = options.path;
    this.#fd = options.fd;
    this.#write = options.write ?? ((fd, bytes, offset, length) => fs.writeSync(fd, bytes, offset, length));
  }

  /**
   * Synchronous: when it returns, the bytes are with the operating system.
   * @param lines whole lines
   * @throws RolloutError 'not-writable', 'closed'
   */
  append(lines: Uint8Array): void {
    const fd = this.#fd;
    if (fd === undefined) throw new RolloutError('closed', `${this.path} is closed already`, { path: this.path });
    const wasAtLineStart = this.#atLineStart;
    const bytes = wasAtLineStart ? lines : Buffer.concat([Uint8Array.of(LINE_FEED), lines]);
    let written = 0;
    try {
      while (written < bytes.length) written += this.#writeSome(fd, bytes, written);
      this.#atLineStart = true;
    } catch (cause) {
      if (written > 0) {
        const torn = bytes.subarray(0, written);
        this.#atLineStart = takeBack(fd, torn) ? wasAtLineStart : torn.at(-1) === LINE_FEED;
      }
      throw new RolloutError('not-writable', `${this.path} can not be written: ${describeSystemError(cause)}`, {
        path: this.path,
        cause,
      });
    }
  }

  /** Resolves when what was appended survives a loss of power. */
  async flush(): Promise<void> {
    const fd = this.#fd;
    if (fd === undefined) return;
    await new Promise<void>((resolve, reject) => {
      fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Calling it twice is fine. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) fs.closeSync(fd);
  }

  #writeSome(fd: number, bytes: Uint8Array, offset: number): number {
    for (let pauses = 0; ; pauses += 1) {
      try {
        const count = this.#write(fd, bytes, offset, bytes.length - offset);
        if (count > 0) return count;
        throw new Error('nothing was written');
      } catch (error) {
        if (systemErrorCode(error) !== 'EAGAIN' || pauses === BUSY_PAUSES) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
      }
    }
  }
}

/** Cuts `torn` off the end, unless another process wrote behind it or the file can not shrink. */
function takeBack(fd: number, torn: Uint8Array): boolean {
  try {
    const start = fs.fstatSync(fd).size - torn.length;
    if (start < 0) return false;
    const end = Buffer.alloc(torn.length);
    if (fs.readSync(fd, end, 0, end.length, start) !== end.length || !end.equals(torn)) return false;
    fs.ftruncateSync(fd, start);
    return true;
  } catch {
    // The append itself has failed and says so; the torn line stays, and the next append begins a new one.
    return false;
  }
}
