import type { CommandOutcome } from '@quire/core';
import { countNewlines } from './count-newlines.ts';

/** Bytes kept of one stream, and of both together. Source: the peer. */
const OUTPUT_CAP_BYTES = 1024 * 1024;
const HALF_BYTES = OUTPUT_CAP_BYTES / 2;

const FIRST_CAPACITY_BYTES = 16 * 1024;

/**
 * A byte stream of any length: its first half MiB and its last. Memory is bounded by twice the cap, however
 * small the chunks are, and each byte is copied at most a few times.
 */
export class CapturedOutput {
  /** The head, then a ring: byte number `n` of the stream is at `HALF_BYTES + n % HALF_BYTES` in it. */
  #bytes: Uint8Array = new Uint8Array(0);
  #totalBytes = 0;
  #newlines = 0;

  append(chunk: Uint8Array): void {
    this.#newlines += countNewlines(chunk);
    const fitting = Math.min(chunk.length, Math.max(0, OUTPUT_CAP_BYTES - this.#totalBytes));
    const needed = this.#totalBytes + fitting;
    if (fitting > 0) {
      if (needed > this.#bytes.length) this.#grow(needed);
      this.#bytes.set(fitting === chunk.length ? chunk : chunk.subarray(0, fitting), this.#totalBytes);
      this.#totalBytes = needed;
    }
    if (fitting < chunk.length) this.#overwriteTail(chunk.subarray(fitting));
  }

  /** All bytes that ever arrived, kept or not. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Of all bytes that ever arrived. */
  get newlines(): number {
    return this.#newlines;
  }

  get endsWithNewline(): boolean {
    const last = this.#totalBytes - 1;
    return this.#bytes[last < HALF_BYTES ? last : HALF_BYTES + (last % HALF_BYTES)] === 0x0a;
  }

  /** @param length what arrived, or at most half the cap when more than the cap arrived */
  first(length: number): Uint8Array {
    return this.#bytes.subarray(0, length);
  }

  /** @param length as for `first` */
  last(length: number): Uint8Array {
    const end = this.#totalBytes;
    if (end <= OUTPUT_CAP_BYTES) return this.#bytes.subarray(end - length, end);
    const oldest = HALF_BYTES + (end % HALF_BYTES);
    const tail = new Uint8Array(HALF_BYTES);
    tail.set(this.#bytes.subarray(oldest));
    tail.set(this.#bytes.subarray(HALF_BYTES, oldest), OUTPUT_CAP_BYTES - oldest);
    return tail.subarray(HALF_BYTES - length);
  }

  #overwriteTail(bytes: Uint8Array): void {
    const kept = bytes.subarray(Math.max(0, bytes.length - HALF_BYTES));
    const oldest = HALF_BYTES + ((this.#totalBytes + bytes.length - kept.length) % HALF_BYTES);
    const fitting = Math.min(kept.length, OUTPUT_CAP_BYTES - oldest);
    this.#bytes.set(kept.subarray(0, fitting), oldest);
    this.#bytes.set(kept.subarray(fitting), HALF_BYTES);
    this.#totalBytes += bytes.length;
  }

  #grow(needed: number): void {
    const doubled = Math.max(needed, this.#bytes.length * 2, FIRST_CAPACITY_BYTES);
    const larger = new Uint8Array(Math.min(doubled, OUTPUT_CAP_BYTES));
    larger.set(this.#bytes.subarray(0, this.#totalBytes));
    this.#bytes = larger;
  }
}

export type PrintedOutput = Pick<CommandOutcome, 'output' | 'omittedBytes' | 'totalLines'>;

/**
 * Standard output, then standard error. When both do not fit under the cap, standard output is sure of a
 * third and standard error may take the rest; what standard error leaves goes to standard output. What is
 * over its share loses its middle.
 */
export function joinOutput(stdout: CapturedOutput, stderr: CapturedOutput): PrintedOutput {
  const sureOfStdout = Math.min(stdout.totalBytes, Math.floor(OUTPUT_CAP_BYTES / 3));
  const shareOfStderr = Math.min(stderr.totalBytes, OUTPUT_CAP_BYTES - sureOfStdout);
  const shareOfStdout = Math.min(stdout.totalBytes, OUTPUT_CAP_BYTES - shareOfStderr);
  const [out, error] = [decode(stdout, shareOfStdout), decode(stderr, shareOfStderr)];
  const last = stderr.totalBytes > 0 ? stderr : stdout;
  const unfinishedLines = last.totalBytes > 0 && !last.endsWithNewline ? 1 : 0;
  return {
    output: out.text + error.text,
    omittedBytes: out.omittedBytes + error.omittedBytes,
    totalLines: stdout.newlines + stderr.newlines + unfinishedLines,
  };
}

/** A character that a cut divides is left out; anything else that is not UTF-8 becomes U+FFFD. */
function decode(stream: CapturedOutput, share: number): { readonly text: string; readonly omittedBytes: number } {
  if (stream.totalBytes <= share) return { text: toText(stream.first(share)), omittedBytes: 0 };
  const headShare = Math.floor(share / 2);
  const headBytes = stream.first(headShare);
  const tailBytes = stream.last(share - headShare);
  const head = headBytes.subarray(0, endOfLastWholeCharacter(headBytes));
  const tail = tailBytes.subarray(startOfFirstWholeCharacter(tailBytes));
  const omittedBytes = stream.totalBytes - head.length - tail.length;
  const separator = head.at(-1) === 0x0a ? '' : '\n';
  return { text: `${toText(head)}${separator}…[${omittedBytes} bytes left out here]…\n${toText(tail)}`, omittedBytes };
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** The largest length not past the end at which no UTF-8 sequence is left unfinished. */
export function endOfLastWholeCharacter(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const sequenceLength = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return sequenceLength > back ? length - back : length;
  }
  return length;
}

/** The smallest index at which a UTF-8 sequence begins, if there is one among the first four. */
function startOfFirstWholeCharacter(bytes: Uint8Array): number {
  for (let index = 0; index < 4; index += 1) if (!isContinuation(bytes[index] ?? 0)) return index;
  return 0; // this is no UTF-8
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
