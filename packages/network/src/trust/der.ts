/**
 * Length of the first DER object in `bytes`, header included. `undefined` when there is none: an indefinite
 * length (which DER forbids), or one that runs over the end.
 */
export function firstObjectLength(bytes: Uint8Array): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return within(bytes, 2 + first);
  const count = first & 0x7f;
  if (count === 0 || count > 4) return undefined;
  let length = 0;
  for (let index = 2; index < 2 + count; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) return undefined;
    length = length * 256 + byte;
  }
  return within(bytes, 2 + count + length);
}

function within(bytes: Uint8Array, length: number): number | undefined {
  return length <= bytes.length ? length : undefined;
}
