import { ByteTail } from './byte-tail.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BYTE_ORDER_MARK = 0xfeff;
const COLON = ':';
const DEFAULT_MAX_EVENT_BYTES = 64 * 1024 * 1024;

export interface SseDecoderOptions {
  /**
   * Largest event held in memory: its `data` lines, and a line that has not ended yet.
   *
   * Unit: bytes. Default 64 MiB. Error: SseEventTooLargeError.
   */
  readonly maxEventBytes?: number;
}

export class SseEventTooLargeError extends Error {
  override readonly name = 'SseEventTooLargeError';
  readonly code = 'sse-event-too-large';
  readonly maxEventBytes: number;

  constructor(maxEventBytes: number) {
    super(`a server-sent event is larger than the limit of ${maxEventBytes} bytes`);
    this.maxEventBytes = maxEventBytes;
  }
}

/** `eventName` is the value of the last `event:` line of that event, if it had one. */
export type SseDataListener = (data: string, eventName?: string) => void;

/**
 * Push decoder of a `text/event-stream`: bytes in, one call for each complete event.
 *
 * Chunks may be cut anywhere. Each byte is searched, copied and decoded a constant number of times,
 * however small the chunks are. Source: HTML standard, section "Server-sent events".
 *
 * Bytes are turned to text in runs of whole lines, not line by line: no terminator byte occurs inside
 * a multi-byte character, and one decoder call per chunk is several times as fast as one per line.
 */
export class SseDecoder {
  readonly #maxEventBytes: number;
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #tail = new ByteTail();
  #atStart = true;
  /** The last terminator was a CR that ended a chunk: an LF that comes next belongs to it. */
  #skipLineFeed = false;
  #failure: SseEventTooLargeError | undefined;

  #firstData: string | undefined;
  #moreData: string[] | undefined;
  #eventBytes = 0;
  #eventName: string | undefined;
  #lastEventId = '';
  #retryMs: number | undefined;

  constructor(options: SseDecoderOptions = {}) {
    this.#maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
  }

  /** The last `id:` seen, `''` before one was. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** The last `retry:` seen, in milliseconds. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /**
   * Calls `onData` synchronously for each event that `chunk` completes. What `onData` throws passes
   * through; the decoder must not be used after that.
   */
  push(chunk: Uint8Array, onData: SseDataListener): void {
    if (this.#failure !== undefined) throw this.#failure;
    let start = 0;
    if (this.#skipLineFeed && chunk.length > 0) {
      this.#skipLineFeed = false;
      if (chunk[0] === LINE_FEED) start = 1;
    }
    const end = endOfLastLine(chunk, start);
    if (end > start) {
      if (this.#tail.length > 0) {
        const firstEnd = endOfFirstLine(chunk, start, end);
        this.#hold(chunk.subarray(start, firstEnd));
        this.#decodeLines(this.#tail.take(), onData);
        start = firstEnd;
      }
      if (end > start) this.#decodeLines(chunk.subarray(start, end), onData);
      this.#skipLineFeed = end === chunk.length && chunk[end - 1] === CARRIAGE_RETURN;
      start = end;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** The stream is over. An event without its closing blank line is dropped: `true` if there was one. */
  end(): boolean {
    const dropped = this.#tail.length > 0 || this.#firstData !== undefined;
    this.#tail.take();
    this.#resetEvent();
    return dropped;
  }

  #hold(bytes: Uint8Array): void {
    // The two bytes of a CRLF are not part of the line.
    this.#checkSize(this.#tail.length + bytes.length - 2);
    this.#tail.append(bytes);
  }

  /** `bytes` ends with a line terminator. */
  #decodeLines(bytes: Uint8Array, onData: SseDataListener): void {
    let text = this.#text.decode(bytes);
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n');
    let position = 0;
    if (this.#atStart) {
      this.#atStart = false;
      if (text.charCodeAt(0) === BYTE_ORDER_MARK) position = 1;
    }
    while (position < text.length) {
      const lineEnd = text.indexOf('\n', position);
      if (lineEnd === position) this.#dispatch(onData);
      else if (text.startsWith('data:', position)) this.#addData(text, position, lineEnd);
      else this.#readField(text.slice(position, lineEnd));
      position = lineEnd + 1;
    }
  }

  #addData(text: string, lineStart: number, lineEnd: number): void {
    const units = lineEnd - lineStart;
    // A UTF-16 unit is at most three bytes, so counting exactly matters only near the limit.
    if ((this.#eventBytes + units) * 3 > this.#maxEventBytes) {
      const bytes = utf8Length(text, lineStart, lineEnd);
      this.#checkSize(bytes);
      this.#eventBytes += bytes;
    } else {
      this.#eventBytes += units;
    }
    const valueStart = lineStart + 5;
    const value = text.slice(text[valueStart] === ' ' ? valueStart + 1 : valueStart, lineEnd);
    if (this.#firstData === undefined) this.#firstData = value;
    else if (this.#moreData === undefined) this.#moreData = [value];
    else this.#moreData.push(value);
  }

  #readField(line: string): void {
    const colon = line.indexOf(COLON);
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    switch (name) {
      case 'data':
        // Only the form without a colon comes here.
        this.#addData('data:', /* lineStart */ 0, /* lineEnd */ 5);
        return;
      case 'event':
        this.#eventName = value;
        return;
      case 'id':
        if (!value.includes('\0')) this.#lastEventId = value;
        return;
      case 'retry':
        if (/^[0-9]+$/.test(value)) this.#retryMs = Number(value);
        return;
      default:
    }
  }

  #dispatch(onData: SseDataListener): void {
    const first = this.#firstData;
    const more = this.#moreData;
    const name = this.#eventName;
    this.#resetEvent();
    if (first === undefined) return;
    const data = more === undefined ? first : `${first}\n${more.join('\n')}`;
    if (name === undefined || name === '') onData(data);
    else onData(data, name);
  }

  #resetEvent(): void {
    this.#firstData = undefined;
    this.#moreData = undefined;
    this.#eventName = undefined;
    this.#eventBytes = 0;
  }

  #checkSize(lineBytes: number): void {
    if (this.#eventBytes + lineBytes <= this.#maxEventBytes) return;
    this.#failure = new SseEventTooLargeError(this.#maxEventBytes);
    this.#tail.take();
    this.#resetEvent();
    throw this.#failure;
  }
}

/** Position after the last line terminator at or behind `start`, or `start` when there is none. */
function endOfLastLine(chunk: Uint8Array, start: number): number {
  const lineFeed = chunk.lastIndexOf(LINE_FEED);
  const from = lineFeed < start ? start : lineFeed + 1;
  const rest = chunk.subarray(from);
  return from + rest.lastIndexOf(CARRIAGE_RETURN) + 1;
}

/** Position after the first line terminator; a CR takes the LF behind it along. */
function endOfFirstLine(chunk: Uint8Array, start: number, end: number): number {
  const lineFeed = chunk.indexOf(LINE_FEED, start);
  const first = lineFeed < 0 ? end : lineFeed + 1;
  const carriageReturn = chunk.subarray(start, first).indexOf(CARRIAGE_RETURN);
  if (carriageReturn < 0) return first;
  const after = start + carriageReturn + 1;
  return chunk[after] === LINE_FEED ? after + 1 : after;
}

function utf8Length(text: string, start: number, end: number): number {
  let bytes = 0;
  for (let index = start; index < end; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    // Each half of a surrogate pair stands for two of the character's four bytes.
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}
