import type { JsonObject, ResponseItem } from '@quire/protocol';

/** A run ends when its text is about this long, so that there is never one text of all. UTF-16 code units. */
const RUN_LENGTH = 262_144;
/** What an item's JSON has beside its texts, roughly. */
const FRAME_LENGTH = 80;
const COMMA = 0x2c;

interface Run {
  readonly items: readonly ResponseItem[];
  /** JSON with a comma in front of each item. */
  readonly bytes: Buffer;
}

/**
 * The items of a thread's requests as bytes. Items are immutable and histories mostly grow at their end, so what one
 * request wrote is kept and copied by the next: only what is new is written, and the same beginning is the same byte
 * for byte. It is kept in runs of items, UTF-8, each written in one go: an allocation for each of 5,000 items cost more
 * than writing their JSON.
 */
export class InputBytes {
  readonly #toJson: (item: ResponseItem) => JsonObject;
  #runs: Run[] = [];

  constructor(toJson: (item: ResponseItem) => JsonObject) {
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
    let batch: JsonObject[] = [];
    let start = 0;
    let length = 0;
    for (const [index, item] of items.entries()) {
      const json = this.#toJson(item);
      batch.push(json);
      length += FRAME_LENGTH + textLength(json);
      const isLast = index === items.length - 1;
      if (length < RUN_LENGTH && !isLast) continue;
      runs.push({ items: items.slice(start, index + 1), bytes: elements(batch) });
      start = index + 1;
      batch = [];
      length = 0;
    }
    return runs;
  }
}

/** A JSON array without its brackets, a comma in front instead. */
function elements(values: readonly JsonObject[]): Buffer {
  const bytes = Buffer.from(JSON.stringify(values));
  bytes[0] = COMMA;
  return bytes.subarray(0, -1);
}

/** Of all texts in it, as they are before escaping. */
function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let length = 0;
  for (const key in value) length += textLength((value as Readonly<Record<string, unknown>>)[key]);
  return length;
}

function withoutFirstComma(runs: readonly Run[]): readonly Buffer[] {
  return runs.map(({ bytes }, index) => (index === 0 ? bytes.subarray(1) : bytes));
}
