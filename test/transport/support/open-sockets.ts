import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNEL = 'net.server.socket';

/** Counts the connections that servers of this process have accepted and that are still open, by the server's port. */
export class OpenSockets implements Disposable {
  readonly #open = new Map<Socket, number>();
  readonly #accepted = new Map<number, number>();
  readonly #waiting = new Set<() => void>();

  constructor() {
    subscribe(CHANNEL, this.#onSocket);
  }

  /** Resolves when the server at `port` has no connection any more. Rejects after `withinMs`. */
  noneAt(port: number, options: { readonly withinMs: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (this.#countAt(port) > 0) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`${this.#countAt(port)} connection(s) to port ${port} still open`));
      }, options.withinMs);
      this.#waiting.add(check);
      check();
    });
  }

  /** Connections that were ever accepted at `port`. */
  acceptedAt(port: number): number {
    return this.#accepted.get(port) ?? 0;
  }

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#onSocket);
  }

  #countAt(port: number): number {
    return [...this.#open.values()].filter((own) => own === port).length;
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    const { localPort } = socket;
    if (localPort === undefined) return;
    this.#accepted.set(localPort, this.acceptedAt(localPort) + 1);
    this.#open.set(socket, localPort);
    socket.once('close', () => {
      this.#open.delete(socket);
      for (const check of [...this.#waiting]) check();
    });
  };
}
