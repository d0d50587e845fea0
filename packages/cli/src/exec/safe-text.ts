const ESCAPE = 0x1b;
const BELL = 0x07;
const STRING_TERMINATOR = 0x9c;

/**
 * `text` as it can be shown on a terminal without driving it: escape sequences are removed, CRLF is a
 * line end, other control characters and the marks that reorder text are replaced by something visible.
 */
export function safeText(text: string): string {
  let result = '';
  let kept = 0;
  for (let index = 0; index < text.length; ) {
    const code = text.charCodeAt(index);
    if (!isUnsafe(code)) {
      index += 1;
      continue;
    }
    const end = code === ESCAPE || code === 0x9b ? endOfSequence(text, index) : index + 1;
    result += text.slice(kept, index) + (end > index + 1 ? '' : visible(text, index));
    index = end;
    kept = end;
  }
  return kept === 0 ? text : result + text.slice(kept);
}

/** One line of it: line ends and tabs are visible or blank too. */
export function safeLine(text: string): string {
  return safeText(text).replaceAll('\n', '⏎').replaceAll('\t', ' ');
}

function isUnsafe(code: number): boolean {
  if (code < 0x20) return code !== 0x0a && code !== 0x09;
  if (code < 0x7f) return false;
  return (
    code <= 0x9f ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0x2028 ||
    code === 0x2029
  );
}

function visible(text: string, index: number): string {
  const code = text.charCodeAt(index);
  if (code === 0x0d && text.charCodeAt(index + 1) === 0x0a) return '';
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** Index after the escape sequence that starts at `start`; `start + 1` when it is none. ECMA-48, section 5. */
function endOfSequence(text: string, start: number): number {
  const isSingle = text.charCodeAt(start) === 0x9b;
  const kind = isSingle ? '[' : text[start + 1];
  const body = isSingle ? start + 1 : start + 2;
  if (kind === '[') {
    let index = body;
    while (isBetween(text, index, { low: 0x20, high: 0x3f })) index += 1;
    return isBetween(text, index, { low: 0x40, high: 0x7e }) ? index + 1 : start + 1;
  }
  if (kind === ']' || kind === 'P' || kind === '^' || kind === '_' || kind === 'X') return endOfString(text, body);
  let index = start + 1;
  while (isBetween(text, index, { low: 0x20, high: 0x2f })) index += 1;
  return isBetween(text, index, { low: 0x30, high: 0x7e }) ? index + 1 : start + 1;
}

/** A control string ends at BEL or ST; one that never ends is cut at the end of its line. */
function endOfString(text: string, body: number): number {
  let index = body;
  for (; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BELL || code === STRING_TERMINATOR) return index + 1;
    if (code === ESCAPE && text[index + 1] === '\\') return index + 2;
    if (code === 0x0a) return index;
  }
  return index;
}

function isBetween(text: string, index: number, range: { readonly low: number; readonly high: number }): boolean {
  const code = text.charCodeAt(index);
  return code >= range.low && code <= range.high;
}
