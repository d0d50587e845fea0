import fs from 'node:fs/promises';
import { describeSystemError, systemErrorCode } from '@quire/files';
import { parseJsonObject, type SessionMeta } from '@quire/protocol';
import { JsonLinesDecoder, LineTooLongError } from '@quire/streams';
import { LINE_START_BYTES, type LineStart, readLineStart } from './decode-line.ts';
import { type HistoryBase, isBeforeFork, Lineage, segmentEnd } from './lineage.ts';
import { readHeader, readOpened } from './read-header.ts';
import { RolloutError } from './rollout-error.ts';

const CHUNK_BYTES = 64 * 1024;

export interface LineageLine {
  /** Without its line feed. */
  readonly text: string;
  /** `undefined` when only decoding can tell what the line is. */
  readonly start: LineStart | undefined;
  /** From 0, counted from the start of the oldest file; headers do not count. */
  readonly index: number;
}

interface LineageOptions {
  /** Where the files are that a fork by reference names. */
  readonly home: string;
  readonly onLine: (line: LineageLine) => 'continue' | 'enough';
  readonly signal: AbortSignal;
}

/**
 * The whole lines of a thread from the oldest to the newest, those of its parents first when it is a fork by reference.
 * A half-written last line is left out: it may be one that is being written.
 * @returns the header of `file`
 * @throws RolloutError 'not-found', 'not-readable', 'no-header', 'no-parent'
 */
export async function readLineage(file: string, options: LineageOptions): Promise<SessionMeta> {
  const segments = segmentsOf(file, options.home);
  let index = 0;
  let isEnough = false;
  for (const segment of segments) {
    await readSegment(segment, {
      signal: options.signal,
      onLine: (text) => {
        const start = readLineStart(text.slice(0, LINE_START_BYTES));
        if (isEnough || start?.type === 'session_meta' || !isBeforeFork(segment.base, start)) return;
        isEnough = options.onLine({ text, start, index }) === 'enough';
        index += 1;
      },
      isEnough: () => isEnough,
    });
    if (isEnough) break;
  }
  const own = segments.at(-1);
  if (own === undefined) throw noHeader(file);
  return own.meta;
}

interface Segment {
  readonly file: string;
  readonly meta: SessionMeta;
  /** What the next younger file takes of this one; `undefined`: all. */
  readonly base: HistoryBase | undefined;
}

/** The oldest first. */
function segmentsOf(file: string, home: string): readonly Segment[] {
  const segments: Segment[] = [];
  let next: { readonly file: string; readonly base: HistoryBase | undefined } | undefined = { file, base: undefined };
  const lineage = new Lineage(home);
  while (next !== undefined) {
    const current: { readonly file: string; readonly base: HistoryBase | undefined } = next;
    const meta = readOpened(current.file, (fd) => readHeader(fd, current.file));
    if (meta === undefined) throw noHeader(current.file);
    segments.unshift({ ...current, meta });
    next = lineage.parentOf(current.file, meta);
  }
  return segments;
}

async function readSegment(
  segment: Segment,
  options: {
    readonly onLine: (text: string) => void;
    readonly isEnough: () => boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { file, base } = segment;
  const decoder = new JsonLinesDecoder();
  try {
    const handle = await fs.open(file, 'r');
    try {
      const { size } = await handle.stat();
      const end = segmentEnd(file, { size, base });
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let position = 0; position < end && !options.isEnough(); ) {
        options.signal.throwIfAborted();
        const { bytesRead } = await handle.read(chunk, 0, Math.min(CHUNK_BYTES, end - position), position);
        if (bytesRead === 0) break;
        position += bytesRead;
        decoder.push(chunk.subarray(0, bytesRead), options.onLine);
      }
      const tail = decoder.end();
      if (tail !== undefined && parseJsonObject(tail.text) !== undefined) options.onLine(tail.text);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = cause instanceof LineTooLongError ? cause.message : describeSystemError(cause);
    if (cause instanceof RolloutError) throw cause;
    if (!(cause instanceof LineTooLongError) && systemErrorCode(cause) === undefined) throw cause;
    throw new RolloutError('not-readable', `${file} can not be read: ${reason}`, { path: file, cause });
  }
}

function noHeader(file: string): RolloutError {
  return new RolloutError('no-header', `${file} holds no session_meta line: no thread was recorded in it`, {
    path: file,
  });
}
