const KEPT_BYTES = 4_096;
const SHOWN_LINES = 3;
const SHOWN_CHARACTERS = 400;

/** The end of a stream of bytes, for a message. */
export class LastLines {
  #bytes = Buffer.alloc(0);

  append(chunk: Buffer): void {
    const kept = chunk.length >= KEPT_BYTES ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#bytes = Buffer.from(kept.subarray(-KEPT_BYTES));
  }

  /** The last few lines on one, without control characters. */
  get text(): string {
    const lines = this.#bytes
      .toString('utf8')
      .split(/[\r\n]+/)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
      .map((line) => line.replace(/\u001b\[[0-9;]*[A-Za-z]|[\u0000-\u001f\u007f-\u009f]/g, '').trim())
      .filter((line) => line !== '');
    return lines.slice(-SHOWN_LINES).join(' | ').slice(-SHOWN_CHARACTERS);
  }
}
