/** `bytes` in pieces of `size` bytes; a piece is a copy, so that a decoder that keeps views is found out. */
export function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.slice(start, start + size);
}

/** `bytes` cut behind each of `cuts` (taken modulo the length, in any order). */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const positions = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right);
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (const position of [...positions, bytes.length]) {
    pieces.push(bytes.slice(start, position));
    start = position;
  }
  return pieces;
}
