import { fstatSync, writeSync } from 'node:fs';
import { OtherEnd, otherProcesses, type PipeHolder, processFacts } from './pipe-ends.ts';

/** Two looks and the end of the turn stay within a second. */
const LOOK_MS = 200;
/** How many processes the first look visits: it stands before the first request. */
const FIRST_LOOK_PROCESSES = 8;
const NOTHING = new Uint8Array(0);

/**
 * Calls `onGone`, once, soon after the reader of a descriptor went away, though nothing is written meanwhile. The
 * system tells a writer only at its next write, and while a long command runs there is none.
 *
 * Notices less than everything, never too much: what it can not see is noticed at the next write.
 * @returns ends the watch; calling it twice is fine
 */
export function watchReader(descriptor: number, onGone: () => void): () => void {
  const check = createCheck(descriptor);
  if (check === undefined) return () => undefined;
  const timer = setInterval(() => {
    const state = check();
    if (state === 'there') return;
    clearInterval(timer);
    if (state === 'gone') onGone();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

type ReaderState = 'there' | 'gone' | 'unknown';

function createCheck(descriptor: number): (() => ReaderState) | undefined {
  try {
    const stat = fstatSync(descriptor);
    if (stat.isSocket()) return () => socketState(descriptor);
    return stat.isFIFO() ? createPipeCheck(descriptor) : undefined;
  } catch {
    return undefined; // closed: the first write says so
  }
}

/**
 * Writing nothing is refused once the peer has closed, and harmless before. A peer that has only ended its own writing
 * still reads: such a socket must not be asked by reading, for it may be stdin too.
 * Source: observed on Linux 6 with sockets of the local domain; TCP tells at the next write.
 */
function socketState(descriptor: number): ReaderState {
  try {
    writeSync(descriptor, NOTHING);
    return 'there';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return 'there';
    return code === 'EPIPE' || code === 'ECONNRESET' ? 'gone' : 'unknown';
  }
}

/**
 * Writing nothing to a pipe always succeeds, so the process that reads is looked up once and asked from then on whether
 * it still has its descriptor; that is one `readlink`. Only when it has not are all processes visited, twice, in case
 * it has handed the pipe on.
 */
function createPipeCheck(descriptor: number): (() => ReaderState) | undefined {
  const readEnd = OtherEnd.of(descriptor, 'read');
  if (readEnd === undefined) return undefined;
  let reader: PipeHolder | undefined = readEnd.findAmong(otherProcesses().slice(0, FIRST_LOOK_PROCESSES)).holder;
  let wasSeen = reader !== undefined;
  let misses = 0;
  return () => {
    if (reader !== undefined && readEnd.isHeldBy(reader)) return 'there';
    const search = readEnd.findAmong(otherProcesses());
    reader = search.holder;
    if (reader !== undefined) {
      wasSeen = true;
      misses = 0;
      return 'there';
    }
    // A reader that was never seen is outside of this container, or another user's: `quire … | sudo tee file`.
    if (!wasSeen || search.hidden.some(isOfOurSession)) return 'unknown';
    misses += 1;
    return misses < 2 ? 'there' : 'gone';
  };
}

function isOfOurSession(pid: number): boolean {
  const facts = processFacts(pid);
  return facts !== undefined && facts.session === processFacts(process.pid)?.session;
}
