import fs from 'node:fs';
import { LINE_START_BYTES, readLineStart } from './decode-line.ts';

const LINE_FEED = 10;
const CHUNK_BYTES = 64 * 1024;
/** Lines without a number at the end of a file that counts its lines; another program may have left some. */
const MAX_UNNUMBERED = 1_000;

/**
 * The number of the next line in a file that counts its lines; `undefined` for files that do not. The peer refuses to
 * go on with a file that stops counting. Source: observed with the peer, 0.169.
 * @param fd of a file that ends with a line feed
 */
export function nextOrdinal(fd: number): number | undefined {
  let end = fs.fstatSync(fd).size;
  for (let unnumbered = 0; end > 0 && unnumbered <= MAX_UNNUMBERED; unnumbered += 1) {
    const start = lineStart(fd, end - 1);
    const ordinal = ordinalAt(fd, start);
    if (ordinal !== undefined) return ordinal + unnumbered + 1;
    // A file either counts from its first line on or not at all; looking further back is for mixed ones.
    if (unnumbered === 0 && ordinalAt(fd, /* position */ 0) === undefined) return undefined;
    end = start;
  }
  return undefined;
}

function ordinalAt(fd: number, position: number): number | undefined {
  const bytes = Buffer.alloc(LINE_START_BYTES);
  const length = fs.readSync(fd, bytes, 0, bytes.length, position);
  return readLineStart(bytes.toString('latin1', 0, length))?.ordinal;
}

/** Where the line that holds the byte before `end` begins. */
function lineStart(fd: number, end: number): number {
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(1, end)));
  for (let to = end; to > 0; ) {
    const from = Math.max(0, to - chunk.length);
    const length = fs.readSync(fd, chunk, 0, to - from, from);
    const lineFeed = chunk.subarray(0, length).lastIndexOf(LINE_FEED);
    if (lineFeed !== -1) return from + lineFeed + 1;
    to = from;
  }
  return 0;
}
