const KEPT_BYTES = 4_096;
const SHOWN_LINES = 3;
const SHOWN_CHARACTERS = 400;
const SHORTEST_HIDDEN = 8;

/** The end of a stream of bytes, for a message. */
export class LastLines {
  readonly #hidden: readonly string[];
  #bytes = Buffer.alloc(0);

  /** @param hidden values that the message does not repeat; short ones stay, for they stand everywhere */
  constructor(hidden: readonly string[]) {
    this.#hidden = hidden.filter((value) => value.length >= SHORTEST_HIDDEN);
  }

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
    const shown = lines.slice(-SHOWN_LINES).join(' | ');
    return this.#hidden.reduce((text, value) => text.replaceAll(value, '[hidden]'), shown).slice(-SHOWN_CHARACTERS);
  }
}
