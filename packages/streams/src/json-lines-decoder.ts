import { ByteTail } from './byte-tail.ts';

const LINE_FEED = 10;
const BYTE_ORDER_MARK = 0xfeff;
const DEFAULT_MAX_LINE_BYTES = 256 * 1024 * 1024;

export interface JsonLinesOptions {
  /** Longest line held in memory. Unit: bytes. Default 256 MiB. Error: LineTooLongError. */
  readonly maxLineBytes?: number;
}

export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
  readonly code = 'line-too-long';
  /** Where the line begins, in bytes from the start of the stream. */
  readonly startByte: number;

  constructor(startByte: number, maxLineBytes: number) {
    super(`the line that begins at byte ${startByte} is longer than the limit of ${maxLineBytes} bytes`);
    this.startByte = startByte;
  }
}

/** What stood behind the last line feed: a torn line, or a complete one that lacks only its line feed. */
export interface JsonLinesTail {
  /** Cutting the file to this many bytes removes the tail. */
  readonly startByte: number;
  readonly text: string;
}

/**
 * `line` has no terminator. `startByte` and `endByte` are offsets in the whole stream; `endByte` is
 * behind the terminator, so the lines' ranges touch.
 */
export type LineListener = (line: string, startByte: number, endByte: number) => void;

/**
 * Push decoder of JSON lines: bytes in, complete non-blank lines out. Lines end with LF; a CR before
 * it is dropped. Parsing the JSON is the caller's, who knows what a bad line means.
 *
 * Each byte is searched, copied and decoded a constant number of times, however small the chunks are.
 */
export class JsonLinesDecoder {
  readonly #maxLineBytes: number;
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #tail = new ByteTail();
  #lineStartByte = 0;
  #failure: LineTooLongError | undefined;

  constructor(options: JsonLinesOptions = {}) {
    this.#maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
  }

  /** Calls `onLine` synchronously for each line that `chunk` completes. What it throws passes through. */
  push(chunk: Uint8Array, onLine: LineListener): void {
    if (this.#failure !== undefined) throw this.#failure;
    let start = 0;
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      if (this.#tail.length > 0) {
        start = chunk.indexOf(LINE_FEED) + 1;
        this.#hold(chunk.subarray(0, start));
        this.#decodeLines(this.#tail.take(), onLine);
      }
      if (end > start) this.#decodeLines(chunk.subarray(start, end), onLine);
    }
    if (end < chunk.length) this.#hold(chunk.subarray(end));
  }

  /** The stream is over: what is left behind the last line feed, if anything. */
  end(): JsonLinesTail | undefined {
    if (this.#tail.length === 0) return undefined;
    const startByte = this.#lineStartByte;
    const text = this.#text.decode(this.#tail.take());
    return { startByte, text: withoutByteOrderMark(text, startByte) };
  }

  #hold(bytes: Uint8Array): void {
    this.#checkLength(this.#tail.length + bytes.length);
    this.#tail.append(bytes);
  }

  /** `bytes` ends with a line feed. */
  #decodeLines(bytes: Uint8Array, onLine: LineListener): void {
    const text = this.#text.decode(bytes);
    let position = 0;
    let bytePosition = 0;
    while (position < text.length) {
      const lineEnd = text.indexOf('\n', position);
      const nextByte = bytes.indexOf(LINE_FEED, bytePosition) + 1;
      const startByte = this.#lineStartByte;
      this.#checkLength(nextByte - bytePosition);
      this.#lineStartByte = startByte + nextByte - bytePosition;
      const contentEnd = text[lineEnd - 1] === '\r' && lineEnd > position ? lineEnd - 1 : lineEnd;
      const line = withoutByteOrderMark(text.slice(position, contentEnd), startByte);
      if (line.trim() !== '') onLine(line, startByte, this.#lineStartByte);
      position = lineEnd + 1;
      bytePosition = nextByte;
    }
  }

  #checkLength(lineBytes: number): void {
    if (lineBytes <= this.#maxLineBytes) return;
    this.#tail.take();
    this.#failure = new LineTooLongError(this.#lineStartByte, this.#maxLineBytes);
    throw this.#failure;
  }
}

function withoutByteOrderMark(line: string, startByte: number): string {
  return startByte === 0 && line.charCodeAt(0) === BYTE_ORDER_MARK ? line.slice(1) : line;
}
