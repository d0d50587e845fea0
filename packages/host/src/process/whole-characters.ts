import { endOfLastWholeCharacter } from './captured-output.ts';

const NOTHING = new Uint8Array(0);

/** Passes bytes of one stream on, but for the beginning of a character until its rest is there. */
export class WholeCharacters {
  readonly #pass: (bytes: Uint8Array) => void;
  #begun = NOTHING;

  constructor(pass: (bytes: Uint8Array) => void) {
    this.#pass = pass;
  }

  append(chunk: Uint8Array): void {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    const end = endOfLastWholeCharacter(bytes);
    this.#begun = end === bytes.length ? NOTHING : new Uint8Array(bytes.subarray(end));
    if (end > 0) this.#pass(bytes.subarray(0, end));
  }

  /** The stream ended: passes on what is left. */
  flush(): void {
    if (this.#begun.length > 0) this.#pass(this.#begun);
    this.#begun = NOTHING;
  }
}
