import fs from 'node:fs';
import path from 'node:path';
import { systemErrorCode } from '@quire/files';
import type { SessionMeta } from '@quire/protocol';
import { decodeLine, FOREIGN_LINE } from './decode-line.ts';
import { threadIdOfName } from './rollout-name.ts';

/** A header holds the base instructions, so it may be long; one beyond this is passed over. */
const MAX_HEADER_BYTES = 1024 * 1024;
const FIRST_READ_BYTES = 8 * 1024;

/**
 * The header of a rollout: its first line. Where that is damaged, the file's name still tells which thread it is, and
 * the rest gets neutral values. The name is believed before the line.
 * @returns `undefined` when there is no whole line, or neither name nor line tells an id
 */
export function readHeader(fd: number, file: string): SessionMeta | undefined {
  return readFoundHeader(fd, file)?.meta;
}

export interface FoundHeader {
  readonly meta: SessionMeta;
  /** The first line is none: of `meta` only the id is true. */
  readonly isDamaged: boolean;
}

/** The same, with what is known of its first line. */
export function readFoundHeader(fd: number, file: string): FoundHeader | undefined {
  const line = readFirstLine(fd);
  if (line === undefined) return undefined;
  const decoded = decodeLine(line);
  const isHeader = decoded !== undefined && decoded !== FOREIGN_LINE && decoded.type === 'session_meta';
  const meta = headerOf(isHeader ? decoded.payload : undefined, file);
  return meta && { meta, isDamaged: !isHeader };
}

/** @param meta as far as the lines of `file` told it */
function headerOf(meta: SessionMeta | undefined, file: string): SessionMeta | undefined {
  const id = threadIdOfName(path.basename(file));
  if (id === undefined) return meta;
  if (meta !== undefined) return meta.id === id ? meta : { ...meta, id };
  return { id, timestamp: '', cwd: '', originator: '', cli_version: '', source: 'unknown' };
}

/** `undefined` also when the file can not be opened or read: it may just have been moved. */
export function readOpened<Result>(file: string, read: (fd: number) => Result): Result | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, 'r');
    return read(fd);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function readFirstLine(fd: number): string | undefined {
  let bytes = Buffer.allocUnsafe(FIRST_READ_BYTES);
  let length = 0;
  for (;;) {
    const count = fs.readSync(fd, bytes, length, bytes.length - length, length);
    const lineFeed = bytes.subarray(length, length + count).indexOf(10);
    if (lineFeed !== -1) return bytes.toString('utf8', 0, length + lineFeed);
    length += count;
    if (count === 0 || length >= MAX_HEADER_BYTES) return undefined;
    if (length < bytes.length) continue;
    const larger = Buffer.allocUnsafe(Math.min(MAX_HEADER_BYTES, bytes.length * 4));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  }
}
