import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { WorkspaceAnswer, WorkspaceFiles } from '@quire/core';
import { systemReason } from '../system-reason.ts';
import { withinTime } from './within-time.ts';

type ReadLinesOptions = Parameters<WorkspaceFiles['readLines']>[1];

/** What is given of a longer line. */
export const MAX_LINE_BYTES = 64 * 1024;
/** Enough for most questions; the rest of the file is read in larger pieces. */
const FIRST_CHUNK_BYTES = 16 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** A disk that does not answer. */
const TIMEOUT_MS = 60_000;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Reads no more of the file than is asked for, and holds no more than one line of it. */
export async function readLines(path: string, options: ReadLinesOptions): Promise<WorkspaceAnswer<number>> {
  const reading = await withinTime((signal) => readFileLines(path, { ...options, signal }), {
    timeoutMs: TIMEOUT_MS,
    signal: options.signal,
  });
  return reading.kind === 'done'
    ? reading.value
    : failed(`${path} could not be read within ${TIMEOUT_MS / 1000} seconds`);
}

async function readFileLines(path: string, options: ReadLinesOptions): Promise<WorkspaceAnswer<number>> {
  try {
    // Asked before it is opened: opening a device may do something, opening a pipe may wait.
    const refusal = refuseSpecial(path, await stat(path));
    if (refusal !== undefined) return refusal;
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return refuseSpecial(path, await file.stat()) ?? (await splitFile(file, options));
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    return failed(`unable to read \`${path}\`: ${systemReason(error)}`);
  }
}

function refuseSpecial(
  path: string,
  stats: { isFile(): boolean; isDirectory(): boolean },
): ReturnType<typeof failed> | undefined {
  if (stats.isFile()) return undefined;
  return failed(
    stats.isDirectory()
      ? `\`${path}\` is a directory; list_dir shows what is in it`
      : `\`${path}\` is not a regular file, so it is not read`,
  );
}

async function splitFile(file: FileHandle, options: ReadLinesOptions): Promise<WorkspaceAnswer<number>> {
  const splitter = new LineSplitter(options);
  let chunk = Buffer.allocUnsafe(FIRST_CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length);
    options.signal.throwIfAborted();
    const goesOn = bytesRead === 0 ? splitter.end() : splitter.add(chunk.subarray(0, bytesRead));
    if (!goesOn) return { kind: 'ok', value: splitter.count };
    if (chunk.length < CHUNK_BYTES) chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  }
}

/** Bytes to lines. Of a line that spans chunks only the beginning is copied. */
class LineSplitter {
  /** Lines handed out. */
  count = 0;
  readonly #onLine: (line: string) => boolean;
  readonly #begun: Buffer[] = [];
  #begunBytes = 0;
  #isInLine = false;
  #toSkip: number;

  constructor({ firstLine = 1, onLine }: ReadLinesOptions) {
    this.#onLine = onLine;
    this.#toSkip = firstLine - 1;
  }

  /** `false`: no more is wanted. */
  add(chunk: Buffer): boolean {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      if (!this.#endLine(chunk.subarray(start, end))) return false;
      start = end + 1;
    }
    if (start < chunk.length) this.#beginLine(chunk.subarray(start));
    return true;
  }

  /** Always `false`. */
  end(): false {
    if (this.#isInLine) this.#endLine(Buffer.alloc(0));
    return false;
  }

  #beginLine(bytes: Buffer): void {
    this.#isInLine = true;
    const room = this.#toSkip > 0 ? 0 : MAX_LINE_BYTES + 1 - this.#begunBytes;
    if (room <= 0) return;
    const kept = Buffer.from(bytes.subarray(0, room)); // the chunk is used again
    this.#begun.push(kept);
    this.#begunBytes += kept.length;
  }

  #endLine(rest: Buffer): boolean {
    this.#isInLine = false;
    if (this.#toSkip > 0) {
      this.#toSkip -= 1;
      return true;
    }
    const line = this.#begun.length === 0 ? rest : Buffer.concat([...this.#begun, rest]);
    this.#begun.length = 0;
    this.#begunBytes = 0;
    this.count += 1;
    return this.#onLine(decodeLine(line));
  }
}

function decodeLine(line: Buffer): string {
  if (line.length > MAX_LINE_BYTES) return line.toString('utf8', 0, characterBoundary(line, MAX_LINE_BYTES));
  const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
  return line.toString('utf8', 0, end);
}

/** The last position up to `end` that is not in the middle of a character. */
function characterBoundary(bytes: Buffer, end: number): number {
  let boundary = end;
  while (boundary > end - 4 && ((bytes[boundary] ?? 0) & 0xc0) === 0x80) boundary -= 1;
  return boundary;
}

function failed(reason: string): { readonly kind: 'failed'; readonly reason: string } {
  return { kind: 'failed', reason };
}
