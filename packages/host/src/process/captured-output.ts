/** Bytes kept of one stream, and of both together. Source: core-runtime 11.3. */
const OUTPUT_CAP_BYTES = 1024 * 1024;

const FIRST_CAPACITY_BYTES = 16 * 1024;

/** The head of a byte stream. Memory is bounded by twice the cap, however small the chunks are. */
export class CapturedOutput {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** Keeps what fits under the cap and drops the rest. */
  append(chunk: Uint8Array): void {
    const taken = Math.min(chunk.length, OUTPUT_CAP_BYTES - this.#length);
    if (taken === 0) return;
    const needed = this.#length + taken;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#bytes.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.#length);
    this.#length = needed;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(needed: number): void {
    const doubled = Math.max(needed, this.#bytes.length * 2, FIRST_CAPACITY_BYTES);
    const larger = new Uint8Array(Math.min(doubled, OUTPUT_CAP_BYTES));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

/**
 * Standard output, then standard error. When both do not fit under the cap, standard output is sure of a
 * third and standard error may take the rest; what standard error leaves goes to standard output.
 */
export function joinOutput(stdout: Uint8Array, stderr: Uint8Array): string {
  const sureOfStdout = Math.min(stdout.length, Math.floor(OUTPUT_CAP_BYTES / 3));
  const takenOfStderr = Math.min(stderr.length, OUTPUT_CAP_BYTES - sureOfStdout);
  const takenOfStdout = Math.min(stdout.length, OUTPUT_CAP_BYTES - takenOfStderr);
  return decodeHead(stdout, takenOfStdout) + decodeHead(stderr, takenOfStderr);
}

/** A character that a cap cut in two is left out; anything else that is not UTF-8 becomes U+FFFD. */
function decodeHead(bytes: Uint8Array, length: number): string {
  const isCut = length < bytes.length || bytes.length === OUTPUT_CAP_BYTES;
  const head = bytes.subarray(0, length);
  return Buffer.from(head.buffer, head.byteOffset, isCut ? endOfLastWholeCharacter(head) : length).toString('utf8');
}

/** The largest length not past the end at which no UTF-8 sequence is left unfinished. */
export function endOfLastWholeCharacter(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const sequenceLength = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return sequenceLength > back ? length - back : length;
  }
  return length;
}
