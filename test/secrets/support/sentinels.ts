import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** What every sentinel begins with. */
const SENTINEL_PREFIX = 'qsentinelq';

/** What `Sentinels.in` gives for the beginning of a value that is cut off. */
const PIECE = 'a piece of one';

/** Values that nobody would guess, of no known form, one for each place where a secret is kept. */
export class Sentinels {
  readonly #values = new Map<string, string>();
  readonly #encodings = new Map<string, readonly string[]>();

  /** The value for a place; the same for the same place. */
  at(place: string): string {
    let value = this.#values.get(place);
    if (value === undefined) {
      value = `${SENTINEL_PREFIX}${place.replaceAll('-', '')}${randomBytes(9).toString('hex')}`;
      this.#values.set(place, value);
      this.#encodings.set(place, encodings(value));
    }
    return value;
  }

  /** The places whose value is in the bytes: as it is, cut off, or as a header for it would carry it. */
  in(bytes: Buffer): readonly string[] {
    const whole = [...this.#values].flatMap(([place, value]) => (bytes.includes(value) ? place : []));
    const encoded = [...this.#encodings].flatMap(([place, texts]) =>
      texts.some((text) => bytes.includes(text)) ? place : [],
    );
    return [...new Set([...whole, ...encoded, ...(this.#hasPiece(bytes) ? [PIECE] : [])])];
  }

  #hasPiece(bytes: Buffer): boolean {
    for (let index = bytes.indexOf(SENTINEL_PREFIX); index >= 0; index = bytes.indexOf(SENTINEL_PREFIX, index + 1)) {
      const isWhole = [...this.#values.values()].some((value) => bytes.indexOf(value, index) === index);
      if (!isWhole) return true;
    }
    return false;
  }
}

/** The middle of a value in base64, at each of the three places where it may begin. */
function encodings(value: string): readonly string[] {
  return [0, 1, 2].flatMap((skip) => {
    const text = Buffer.from(`${'x'.repeat(skip)}${value}`)
      .toString('base64')
      .slice(4, -4);
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** `file: place` for every sentinel in a file below `root`, but for the files that people keep them in. */
export async function findInFiles(
  sentinels: Sentinels,
  root: string,
  options: { readonly except: readonly string[] },
): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = await Promise.all(
    files.map(async (file) => {
      const name = relative(root, file);
      if (options.except.includes(name)) return [];
      const places = [...sentinels.in(await readFile(file)), ...sentinels.in(Buffer.from(name))];
      return places.map((place) => `${name}: ${place}`);
    }),
  );
  return found.flat();
}
