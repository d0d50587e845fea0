const SMALLEST = 1024;

/**
 * The bytes of a line that has not ended yet. Grows by doubling, so that n bytes in any number of
 * pieces cost O(n) copies; gives a large buffer back once it was taken.
 */
export class ByteTail {
  #bytes = new Uint8Array(SMALLEST);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies `chunk`: the caller may reuse its buffer. */
  append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
  }

  /** All bytes, and the tail is empty. The view is valid until the next `append`. */
  take(): Uint8Array {
    const view = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length > 64 * SMALLEST) this.#bytes = new Uint8Array(SMALLEST);
    return view;
  }
}
