import type { ResponseItem } from '@quire/protocol';

/** A run ends when its text is this long, so that there is never one text of all. UTF-16 code units. */
const RUN_LENGTH = 262_144;

interface Run {
  readonly items: readonly ResponseItem[];
  /** JSON with a comma in front of each item. */
  readonly bytes: Buffer;
}

/**
 * The items of a thread's requests as bytes. Items are immutable and histories mostly grow at their end, so what one
 * request wrote is kept and copied by the next: only what is new is written, and the same beginning is the same byte
 * for byte. It is kept in runs of items, UTF-8: an allocation for each of 5,000 items cost more than writing their JSON.
 */
export class InputBytes {
  readonly #toJson: (item: ResponseItem) => string;
  #runs: Run[] = [];

  constructor(toJson: (item: ResponseItem) => string) {
    this.#toJson = toJson;
  }

  /** The elements of a JSON array of `input`, in pieces to be put together. */
  of(input: readonly ResponseItem[]): readonly Buffer[] {
    const known = this.#knownRuns(input);
    let length = 0;
    for (const run of known) length += run.items.length;
    if (length < input.length) {
      this.#runs = [...known, ...this.#write(input.slice(length))];
      return withoutFirstComma(this.#runs);
    }
    return withoutFirstComma(known);
  }

  /** The same for a part of the input that is written this once. */
  ofPart(input: readonly ResponseItem[]): readonly Buffer[] {
    return withoutFirstComma(this.#write(input));
  }

  /** Runs that `input` begins with. */
  #knownRuns(input: readonly ResponseItem[]): readonly Run[] {
    let position = 0;
    let count = 0;
    for (const { items } of this.#runs) {
      const start = position;
      if (start + items.length > input.length || items.some((item, index) => item !== input[start + index])) break;
      position += items.length;
      count += 1;
    }
    return this.#runs.slice(0, count);
  }

  #write(items: readonly ResponseItem[]): readonly Run[] {
    const runs: Run[] = [];
    let start = 0;
    let json = '';
    for (const [index, item] of items.entries()) {
      json += `,${this.#toJson(item)}`;
      const isLast = index === items.length - 1;
      if (json.length < RUN_LENGTH && !isLast) continue;
      runs.push({ items: items.slice(start, index + 1), bytes: Buffer.from(json) });
      start = index + 1;
      json = '';
    }
    return runs;
  }
}

function withoutFirstComma(runs: readonly Run[]): readonly Buffer[] {
  return runs.map(({ bytes }, index) => (index === 0 ? bytes.subarray(1) : bytes));
}
