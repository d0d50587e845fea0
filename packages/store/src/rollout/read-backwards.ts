import fs from 'node:fs/promises';
import { describeSystemError, systemErrorCode } from '@quire/files';
import { parseJsonObject, type RolloutLine, type SessionMeta } from '@quire/protocol';
import { type BackwardLineListener, readLinesBackwards } from './backward-lines.ts';
import { decodeLine, FOREIGN_LINE, LINE_START_BYTES, readLineStart } from './decode-line.ts';
import { type HistoryBase, isBeforeFork, Lineage, segmentEnd } from './lineage.ts';
import { readHeader, readOpened } from './read-header.ts';
import { RolloutError } from './rollout-error.ts';

export interface ReadBackwardsOptions {
  /** Where the files are that a fork by reference names. */
  readonly home: string;
  /**
   * Called from the newest line to the oldest. What it throws ends the reading and passes through.
   * @param info `timestamp` as the line has it; absent in a line whose members stand in another order than usual
   */
  readonly onLine: (
    line: RolloutLine,
    info: { readonly offset: number; readonly timestamp: string | undefined },
  ) => 'continue' | 'enough';
  /**
   * Whether a line of this kind is wanted; others are passed over without being decoded.
   * @param payloadType the `type` of the payload of an event or item
   */
  readonly needs?: (lineType: string, payloadType: string | undefined) => boolean;
  readonly signal: AbortSignal;
}

export interface BackwardReading {
  /** The first line of the file; its id is the one in the file's name, when that has one. */
  readonly meta: SessionMeta;
  /** Lines read that are damaged: no JSON, or without what their kind needs. */
  readonly skippedLines: number;
  /** Length of a half-written last line, which is not counted as skipped. */
  readonly tornBytes: number;
}

/**
 * Reads the record of a thread from its end, until `onLine` has enough: what is behind costs nothing. Behind the first
 * line of a fork by reference come the lines of its parent.
 * @throws RolloutError 'not-found', 'not-readable', 'no-header', 'no-parent'
 */
export async function readRolloutBackwards(file: string, options: ReadBackwardsOptions): Promise<BackwardReading> {
  const own = new SegmentReading(options);
  let segment = await readSegment({ file, reading: own, options });
  const { meta } = segment;
  // The name of a file alone makes no thread.
  if (own.knownLines === 0) throw noHeader(file);
  let skippedLines = own.skippedLines;
  const lineage = new Lineage(options.home);
  for (let current = file; !segment.isEnough; ) {
    const parent = lineage.parentOf(current, segment.meta);
    if (parent === undefined) break;
    const reading = new SegmentReading(options, parent.base);
    segment = await readSegment({ file: parent.file, reading, options });
    skippedLines += reading.skippedLines;
    current = parent.file;
  }
  return { meta, skippedLines, tornBytes: own.tornBytes };
}

async function readSegment(segment: {
  readonly file: string;
  readonly reading: SegmentReading;
  readonly options: ReadBackwardsOptions;
}): Promise<{ readonly meta: SessionMeta; readonly isEnough: boolean }> {
  const { file, reading, options } = segment;
  try {
    const handle = await fs.open(file, 'r');
    try {
      const meta = readOpened(file, (fd) => readHeader(fd, file));
      const { size } = await handle.stat();
      const end = segmentEnd(file, { size, base: reading.base });
      const verdict = await readLinesBackwards(handle, { end, listener: reading, signal: options.signal });
      const header = meta ?? reading.lastMeta;
      if (header === undefined) throw noHeader(file);
      return { meta: header, isEnough: verdict === 'enough' };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === undefined || cause instanceof RolloutError) throw cause;
    if (code === 'ENOENT') throw new RolloutError('not-found', `${file} does not exist`, { path: file, cause });
    throw new RolloutError('not-readable', `${file} can not be read: ${describeSystemError(cause)}`, {
      path: file,
      cause,
    });
  }
}

/** Lines of one file: its own ones, or those that a fork took over. */
class SegmentReading implements BackwardLineListener {
  readonly base: HistoryBase | undefined;
  readonly #options: ReadBackwardsOptions;
  skippedLines = 0;
  tornBytes = 0;
  /** Lines that are what a rollout holds, also of kinds that nobody here knows. */
  knownLines = 0;
  /** The header that stands first among those met. */
  lastMeta: SessionMeta | undefined;

  constructor(options: ReadBackwardsOptions, base?: HistoryBase) {
    this.#options = options;
    this.base = base;
  }

  tooLong(): void {
    this.skippedLines += 1;
  }

  line(bytes: Buffer, place: { readonly offset: number; readonly isTail: boolean }): 'continue' | 'enough' {
    const start = readLineStart(bytes.toString('latin1', 0, Math.min(bytes.length, LINE_START_BYTES)));
    if (!isBeforeFork(this.base, start)) return 'continue';
    const isWanted = start === undefined || (this.#options.needs?.(start.type, start.payloadType) ?? true);
    if (!isWanted && !place.isTail) {
      this.knownLines += 1;
      return 'continue';
    }
    const text = textOf(bytes, place.offset);
    const line = decodeLine(text);
    if (line !== undefined) this.knownLines += 1;
    if (line === FOREIGN_LINE) return 'continue';
    if (line === undefined) {
      this.#noteDamage(text, { isTail: place.isTail, length: bytes.length });
      return 'continue';
    }
    if (line.type === 'session_meta') {
      this.lastMeta = line.payload;
      if (this.base !== undefined) return 'continue'; // a parent's header says nothing about its fork
    }
    return this.#options.onLine(line, { offset: place.offset, timestamp: start?.timestamp });
  }

  #noteDamage(text: string, line: { readonly isTail: boolean; readonly length: number }): void {
    if (text.trim() === '') return;
    if (line.isTail && parseJsonObject(text) === undefined) this.tornBytes = line.length;
    else this.skippedLines += 1;
  }
}

const BYTE_ORDER_MARK = '\ufeff';

function textOf(bytes: Buffer, offset: number): string {
  const text = bytes.toString('utf8');
  return offset === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function noHeader(file: string): RolloutError {
  return new RolloutError('no-header', `${file} holds no session_meta line: no thread was recorded in it`, {
    path: file,
  });
}
