import type { Duplex } from 'node:stream';
import { closedEarly } from '../connect/await-socket.ts';

/**
 * Reads the binary answers of a SOCKS proxy, each of known length. Takes all that has arrived and keeps what is
 * too much: waiting on a socket that still holds bytes would be told at once, over and over, that it is readable.
 */
export class ByteReader {
  readonly #socket: Duplex;
  readonly #signal: AbortSignal;
  #pending = Buffer.alloc(0);

  constructor(socket: Duplex, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
  }

  /** Rejects with the socket's error, or the reason of the signal. */
  async read(length: number): Promise<Buffer> {
    while (this.#pending.length < length) {
      this.#signal.throwIfAborted();
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk !== null) {
        this.#pending = Buffer.concat([this.#pending, chunk]);
        continue;
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) throw this.#socket.errored ?? closedEarly();
      await this.#nextChange();
    }
    const bytes = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return bytes;
  }

  /** Puts what came beyond the last answer back, for whoever reads the socket next. */
  giveBack(): void {
    if (this.#pending.length > 0) this.#socket.unshift(this.#pending);
    this.#pending = Buffer.alloc(0);
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#signal.removeEventListener('abort', settle);
        for (const event of CHANGES) this.#socket.off(event, settle);
        resolve();
      };
      this.#signal.addEventListener('abort', settle, { once: true });
      for (const event of CHANGES) this.#socket.once(event, settle);
    });
  }
}

const CHANGES = ['readable', 'end', 'close', 'error'] as const;
