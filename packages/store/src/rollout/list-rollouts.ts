import fs from 'node:fs';
import type { RolloutLine, SessionMeta, ThreadId } from '@quire/protocol';
import { JsonLinesDecoder } from '@quire/streams';
import { systemErrorCode } from '../system-error.ts';
import { decodeLine } from './decode-line.ts';
import { type RolloutPath, rolloutsBelow, statFile } from './rollout-folders.ts';
import { sessionsFolder } from './rollout-name.ts';

export interface RolloutSummary {
  /** Absolute. */
  readonly path: string;
  readonly threadId: ThreadId;
  readonly meta: SessionMeta;
  /** Unix milliseconds of the last write. */
  readonly updatedAtMs: number;
}

interface ListScope {
  readonly home: string;
  /** Only threads that began in exactly this directory. */
  readonly cwd?: string;
  readonly signal: AbortSignal;
}

/** A header holds the base instructions, so it may be long; one beyond this is passed over. */
const MAX_HEADER_BYTES = 1024 * 1024;
const FIRST_READ_BYTES = 8 * 1024;
const SCAN_CHUNK_BYTES = 64 * 1024;
/** Bounds the work of `findLastRollout` in a folder that was never tidied. */
const MAX_CANDIDATES = 10_000;
/** Files handled between two looks at the signal. */
const FILES_PER_BATCH = 64;

/**
 * The threads on disk, the last begun first. Reads the header line of each file until `limit` threads are
 * found; files without a readable header are passed over.
 */
export async function listRollouts(
  options: ListScope & { readonly limit: number },
): Promise<readonly RolloutSummary[]> {
  const found: RolloutSummary[] = [];
  if (options.limit <= 0) return found;
  for await (const rollout of paced(rolloutsBelow(sessionsFolder(options.home)), options.signal)) {
    const summary = summarise(rollout, options.cwd);
    if (summary !== undefined) found.push(summary);
    if (found.length === options.limit) break;
  }
  return found;
}

/**
 * The thread that `resume --last` means: of the last begun 10,000, the one that was written to most recently,
 * began in `cwd` (when given) and holds a user message. A thread without one has nothing to go on with.
 */
export async function findLastRollout(options: ListScope): Promise<RolloutSummary | undefined> {
  const candidates: { readonly rollout: RolloutPath; readonly updatedAtMs: number }[] = [];
  for await (const rollout of paced(rolloutsBelow(sessionsFolder(options.home)), options.signal)) {
    const stats = statFile(rollout.path);
    if (stats !== undefined) candidates.push({ rollout, updatedAtMs: stats.mtimeMs });
    if (candidates.length === MAX_CANDIDATES) break;
  }
  // The sort is stable: of two files with the same time, the last begun stays first.
  candidates.sort((left, right) => right.updatedAtMs - left.updatedAtMs);
  for await (const { rollout } of paced(candidates, options.signal)) {
    const summary = summarise(rollout, options.cwd);
    if (summary !== undefined && readOpened(rollout.path, holdsUserMessage) === true) return summary;
  }
  return undefined;
}

/** The same entries, with a pause after every batch in which an abort can arrive. */
async function* paced<Entry>(entries: Iterable<Entry>, signal: AbortSignal): AsyncGenerator<Entry, void, undefined> {
  let count = 0;
  signal.throwIfAborted();
  for (const entry of entries) {
    yield entry;
    count += 1;
    if (count % FILES_PER_BATCH !== 0) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
}

function summarise(rollout: RolloutPath, cwd: string | undefined): RolloutSummary | undefined {
  return readOpened(rollout.path, (fd) => {
    const meta = readHeader(fd);
    if (meta === undefined || (cwd !== undefined && meta.cwd !== cwd)) return undefined;
    return { ...rollout, meta, updatedAtMs: fs.fstatSync(fd).mtimeMs };
  });
}

/** `undefined` also when the file can not be opened or read: it may just have been archived. */
function readOpened<Result>(file: string, read: (fd: number) => Result): Result | undefined {
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

function readHeader(fd: number): SessionMeta | undefined {
  const line = readFirstLine(fd);
  const decoded = line === undefined ? undefined : decodeLine(line);
  return decoded?.type === 'session_meta' ? decoded.payload : undefined;
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

function holdsUserMessage(fd: number): boolean {
  const decoder = new JsonLinesDecoder();
  const chunk = Buffer.allocUnsafe(SCAN_CHUNK_BYTES);
  let found = false;
  const look = (text: string): void => {
    if (found) return;
    const line = decodeLine(text);
    found = line !== undefined && isUserMessage(line);
  };
  while (!found) {
    const count = fs.readSync(fd, chunk, 0, SCAN_CHUNK_BYTES, null);
    if (count === 0) break;
    decoder.push(chunk.subarray(0, count), look);
  }
  return found;
}

function isUserMessage(line: RolloutLine): boolean {
  if (line.type === 'event_msg') return line.payload.type === 'user_message';
  return line.type === 'response_item' && line.payload.type === 'message' && line.payload.role === 'user';
}
