import fs, { type FileHandle } from 'node:fs/promises';
import type { RolloutLine, SessionMeta } from '@quire/protocol';
import { JsonLinesDecoder, LineTooLongError } from '@quire/streams';
import { describeSystemError, systemErrorCode } from '../system-error.ts';
import { decodeLine, FOREIGN_LINE, parseJsonObject } from './decode-line.ts';
import { headerOf } from './read-header.ts';
import { RolloutError } from './rollout-error.ts';

/** Measured on 60 MB of 1 KB lines with some non-ASCII text: 1 MiB takes 1.6 times as long, 32 KiB is no faster. */
const CHUNK_BYTES = 64 * 1024;

export interface RolloutLineInfo {
  /** Where the line begins, in bytes from the start of the file. */
  readonly offset: number;
  /** 1-based; blank lines do not count. */
  readonly lineNumber: number;
}

export interface ReadRolloutOptions {
  /** Called in the order of the file. What it throws ends the reading and passes through. */
  readonly onLine: (line: RolloutLine, info: RolloutLineInfo) => void;
  readonly signal: AbortSignal;
}

export interface RolloutReading {
  /** The first header; a fork may carry the one of its parent behind it. Its id is that in the file's name. */
  readonly meta: SessionMeta;
  /** Lines passed to `onLine`. */
  readonly lines: number;
  /** Lines that are damaged: not JSON, or without what their kind needs. Kinds that are not known are no damage. */
  readonly skippedLines: number;
  /** Length of a half-written last line, which is not counted as skipped. */
  readonly tornBytes: number;
}

/**
 * Reads a rollout from start to end with memory for one chunk and the longest line.
 * @throws RolloutError 'not-found', 'not-readable', 'no-header'
 */
export async function readRollout(file: string, options: ReadRolloutOptions): Promise<RolloutReading> {
  const reading = new Reading(options.onLine);
  const handle = await openForReading(file);
  try {
    await readChunks(handle, { signal: options.signal, onChunk: (chunk) => reading.push(chunk) });
  } catch (cause) {
    if (cause instanceof LineTooLongError || systemErrorCode(cause) !== undefined) throw notReadable(file, cause);
    throw cause;
  } finally {
    await handle.close();
  }
  return reading.end(file);
}

class Reading {
  readonly #onLine: ReadRolloutOptions['onLine'];
  readonly #decoder = new JsonLinesDecoder();
  #meta: SessionMeta | undefined;
  #byteCount = 0;
  #lineNumber = 0;
  #lines = 0;
  #skippedLines = 0;

  constructor(onLine: ReadRolloutOptions['onLine']) {
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    this.#byteCount += chunk.length;
    this.#decoder.push(chunk, this.#accept);
  }

  end(file: string): RolloutReading {
    const tail = this.#decoder.end();
    const torn = tail !== undefined && tail.text.trim() !== '' && parseJsonObject(tail.text) === undefined;
    if (tail !== undefined && !torn) this.#accept(tail.text, tail.startByte);
    const meta = this.#lines === 0 ? undefined : headerOf(this.#meta, file);
    if (meta === undefined) {
      throw new RolloutError('no-header', `${file} holds no session_meta line: no thread was recorded in it`, {
        path: file,
      });
    }
    return {
      meta,
      lines: this.#lines,
      skippedLines: this.#skippedLines,
      tornBytes: torn ? this.#byteCount - tail.startByte : 0,
    };
  }

  readonly #accept = (text: string, offset: number): void => {
    this.#lineNumber += 1;
    const line = decodeLine(text);
    if (line === undefined) {
      this.#skippedLines += 1;
      return;
    }
    if (line === FOREIGN_LINE) return;
    this.#lines += 1;
    if (line.type === 'session_meta') this.#meta ??= line.payload;
    this.#onLine(line, { offset, lineNumber: this.#lineNumber });
  };
}

async function openForReading(file: string): Promise<FileHandle> {
  try {
    return await fs.open(file, 'r');
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') throw notReadable(file, cause);
    throw new RolloutError('not-found', `${file} does not exist`, { path: file, cause });
  }
}

/** The next chunk is on its way while one is handled. */
async function readChunks(
  handle: FileHandle,
  options: { readonly signal: AbortSignal; readonly onChunk: (chunk: Uint8Array) => void },
): Promise<void> {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let spare = Buffer.allocUnsafe(CHUNK_BYTES);
  let pending = handle.read(buffer, 0, CHUNK_BYTES, null);
  for (;;) {
    const { bytesRead } = await pending;
    options.signal.throwIfAborted();
    if (bytesRead === 0) return;
    const chunk = buffer.subarray(0, bytesRead);
    [buffer, spare] = [spare, buffer];
    pending = handle.read(buffer, 0, CHUNK_BYTES, null);
    try {
      options.onChunk(chunk);
    } catch (error) {
      await pending;
      throw error;
    }
  }
}

function notReadable(file: string, cause: unknown): RolloutError {
  const reason = cause instanceof LineTooLongError ? cause.message : describeSystemError(cause);
  return new RolloutError('not-readable', `${file} can not be read: ${reason}`, { path: file, cause });
}
