import { Transform, type TransformCallback } from 'node:stream';
import { FloodMeter } from './flood-meter.ts';
import { MESSAGE_MAX_BYTES } from './limits.ts';
import { McpError } from './mcp-error.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Passes a body on as long as its messages stay within the limits: one, or one for each event of a stream of events. */
export class BodyLimit extends Transform {
  readonly #name: string;
  readonly #isEventStream: boolean;
  readonly #onFlood: (error: McpError) => void;
  readonly #meter = new FloodMeter();
  #messageBytes = 0;
  #isAtLineStart = true;

  /** @param options `onFlood` is called once, when the body ends for it */
  constructor(name: string, options: { readonly isEventStream: boolean; readonly onFlood: (error: McpError) => void }) {
    super();
    this.#onFlood = options.onFlood;
    this.#name = name;
    this.#isEventStream = options.isEventStream;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const problem = this.#isEventStream ? this.#countEvents(chunk) : this.#count(chunk.length);
    if (problem === undefined) {
      done(null, chunk);
      return;
    }
    const error = new McpError('flood', `MCP server ${this.#name} ${problem}, so it was left`);
    done(error);
    this.#onFlood(error);
  }

  /** An event ends with an empty line. */
  #countEvents(chunk: Buffer): string | undefined {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const length = end - start;
      const isBlank = length === 0 || (length === 1 && chunk[start] === CARRIAGE_RETURN);
      if (this.#isAtLineStart && isBlank) {
        this.#messageBytes = 0;
        if (this.#meter.isFlooded(performance.now())) return 'sends more than anybody can read';
      }
      this.#isAtLineStart = true;
      start = end + 1;
      const problem = this.#count(length);
      if (problem !== undefined) return problem;
    }
    const rest = chunk.length - start;
    if (rest > 0) this.#isAtLineStart = false;
    return this.#count(rest);
  }

  #count(bytes: number): string | undefined {
    this.#messageBytes += bytes;
    return this.#messageBytes > MESSAGE_MAX_BYTES
      ? `sent a message of more than ${MESSAGE_MAX_BYTES} bytes`
      : undefined;
  }
}
