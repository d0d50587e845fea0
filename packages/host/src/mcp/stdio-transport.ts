import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { isJsonObject } from '@quire/protocol';
import { JsonLinesDecoder, LineTooLongError } from '@quire/streams';
import { FloodMeter } from './flood-meter.ts';
import { DRAIN_MS, MESSAGE_MAX_BYTES, UNREAD_MAX_BYTES } from './limits.ts';
import type { ServerProcess } from './server-process.ts';

/** JSON lines over the pipes of a program of ours: its tree is ended with it, and what it says is limited. */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #process: ServerProcess;
  readonly #onFlood: (what: string) => void;
  readonly #onGarbage: () => void;
  readonly #lines = new JsonLinesDecoder({ maxLineBytes: MESSAGE_MAX_BYTES });
  readonly #meter = new FloodMeter();
  /** Ids of requests that were not answered yet. */
  readonly #asked = new Set<unknown>();
  #drain: NodeJS.Timeout | undefined;
  #isClosed = false;

  /**
   * @param listeners `onFlood` is called once, with a predicate; what came is dropped from then on. `onGarbage` is
   *   called for the first line that is no message.
   */
  constructor(
    process: ServerProcess,
    listeners: { readonly onFlood: (what: string) => void; readonly onGarbage: () => void },
  ) {
    this.#process = process;
    this.#onFlood = listeners.onFlood;
    let seen = false;
    this.#onGarbage = () => {
      if (!seen) listeners.onGarbage();
      seen = true;
    };
  }

  start(): Promise<void> {
    const { stdout, exited } = this.#process;
    stdout.on('data', this.#take);
    stdout.once('close', this.#end);
    stdout.once('end', this.#end);
    void exited.then(() => {
      if (!this.#isClosed) this.#drain = setTimeout(this.#end, DRAIN_MS).unref();
    });
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { stdin } = this.#process;
    if (this.#isClosed || !stdin.writable) return Promise.reject(new Error('the server has closed its input'));
    if ('method' in message && 'id' in message) this.#asked.add(message.id);
    stdin.write(`${JSON.stringify(message)}\n`);
    if (stdin.writableLength > UNREAD_MAX_BYTES) this.#flood('does not read what it is told');
    return Promise.resolve();
  }

  /** Lets go of the program; whoever started it stops it. */
  close(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  readonly #take = (chunk: Buffer): void => {
    try {
      this.#lines.push(chunk, (line) => this.#takeLine(line));
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      this.#flood(`sent a message of more than ${MESSAGE_MAX_BYTES} bytes`);
    }
  };

  #takeLine(line: string): void {
    if (this.#isClosed) return;
    const messages = parseMessages(line);
    if (messages === undefined) this.#onGarbage();
    for (const message of messages ?? [undefined]) {
      const isAnswer = message !== undefined && !('method' in message) && this.#asked.delete(message.id);
      if (!isAnswer && this.#meter.isFlooded(performance.now())) {
        this.#flood('sends more than anybody can read');
        return;
      }
      if (message !== undefined) this.onmessage?.(message);
    }
  }

  #flood(what: string): void {
    if (this.#isClosed) return;
    this.#onFlood(what);
    this.#end();
  }

  readonly #end = (): void => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#drain);
    const { stdout } = this.#process;
    stdout.off('data', this.#take).off('close', this.#end).off('end', this.#end);
    stdout.resume(); // a full pipe must not keep it from ending
    this.onclose?.();
  };
}

/** One message or a batch; `undefined` when the line is neither. Their shape is checked by whom they are for. */
function parseMessages(line: string): readonly JSONRPCMessage[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const areMessages = values.every((entry) => isJsonObject(entry) && entry['jsonrpc'] === '2.0');
  return areMessages ? (values as readonly JSONRPCMessage[]) : undefined;
}
