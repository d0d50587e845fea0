/** Bytes that `text` takes in UTF-8, without encoding it. Lone surrogates count three, as encoders write U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text, index + 1)) {
      bytes += 2; // four bytes for two code units
      index += 1;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff;
}

/** The longest prefix of `text` that takes at most `maxBytes`; never splits a character. */
export function utf8Prefix(text: string, maxBytes: number): string {
  let bytes = 0;
  let index = 0;
  while (index < text.length) {
    const size = sizeAt(text, index);
    if (bytes + size.bytes > maxBytes) break;
    bytes += size.bytes;
    index += size.units;
  }
  return text.slice(0, index);
}

/** The longest suffix of `text` that takes at most `maxBytes`; never splits a character. */
export function utf8Suffix(text: string, maxBytes: number): string {
  let bytes = 0;
  let index = text.length;
  while (index > 0) {
    const pair = index > 1 && isLowSurrogate(text, index - 1) && isHighSurrogate(text, index - 2);
    const start = pair ? index - 2 : index - 1;
    const size = sizeAt(text, start).bytes;
    if (bytes + size > maxBytes) break;
    bytes += size;
    index = start;
  }
  return text.slice(index);
}

function isHighSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xd800 && code <= 0xdbff;
}

function sizeAt(text: string, index: number): { readonly bytes: number; readonly units: number } {
  const code = text.charCodeAt(index);
  if (code < 0x80) return { bytes: 1, units: 1 };
  if (code < 0x800) return { bytes: 2, units: 1 };
  if (isHighSurrogate(text, index) && isLowSurrogate(text, index + 1)) return { bytes: 4, units: 2 };
  return { bytes: 3, units: 1 };
}
