import fs from 'node:fs';
import { parseJsonObject } from '@quire/protocol';
import { RolloutError } from './rollout-error.ts';

const LINE_FEED = 10;
const CHUNK_BYTES = 64 * 1024;

/**
 * Makes a file end with a line feed, so that lines can be appended. A last line that is complete but for its
 * line feed gets one; a torn one is cut off.
 * @param fd open for reading and appending
 * @returns how many bytes were cut off
 * @throws RolloutError 'no-header' when the file has no complete line; it is left as it is
 */
export function repairTail(fd: number, path: string): number {
  const size = fs.fstatSync(fd).size;
  const tailStart = findTailStart(fd, size);
  if (tailStart === size && size > 0) return 0;
  const tail = Buffer.alloc(size - tailStart);
  const length = fs.readSync(fd, tail, 0, tail.length, tailStart);
  if (parseJsonObject(tail.toString('utf8', 0, length)) !== undefined) {
    fs.writeSync(fd, '\n');
    return 0;
  }
  if (tailStart === 0) {
    throw new RolloutError('no-header', `${path} has no complete line: no thread was recorded in it`, { path });
  }
  fs.ftruncateSync(fd, tailStart);
  return size - tailStart;
}

/** Where the bytes behind the last line feed begin; `size` when there are none. */
function findTailStart(fd: number, size: number): number {
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size));
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const length = fs.readSync(fd, chunk, 0, end - start, start);
    const lineFeed = chunk.subarray(0, length).lastIndexOf(LINE_FEED);
    if (lineFeed !== -1) return start + lineFeed + 1;
    end = start;
  }
  return 0;
}
