import type { Socket } from 'node:net';
import type { ConnectionUse } from './receipt/receipt-recorder.ts';

/** Counts what each response costs on pooled sockets. Scope: one thread. */
export class SocketMeter {
  /** Bytes of earlier responses on a socket. */
  readonly #before = new WeakMap<Socket, { readonly sent: number; readonly received: number }>();

  /** To be called when the headers of a response have arrived: they count as part of it. */
  measure(socket: Socket | null | undefined): ConnectionUse {
    if (socket === null || socket === undefined) {
      return { reused: false, incremental: false, bytes: () => ({ sent: 0, received: 0 }) };
    }
    const before = this.#before.get(socket);
    return {
      reused: before !== undefined,
      incremental: false,
      bytes: () => {
        const now = { sent: socket.bytesWritten, received: socket.bytesRead };
        this.#before.set(socket, now);
        return { sent: now.sent - (before?.sent ?? 0), received: now.received - (before?.received ?? 0) };
      },
    };
  }
}
