import type { Duplex } from 'node:stream';

export interface SocketWait {
  /** `connect`, `secureConnect`… */
  readonly event: string;
  readonly signal: AbortSignal;
  /** Makes the error of a socket that failed or was closed first. */
  readonly toError: (cause: unknown) => Error;
}

function ignoreError(): void {
  // Between two steps nobody waits for the socket; the next step sees that it is gone.
}

/**
 * Resolves when the socket emits `event`. On an error, a close or an abort it destroys the socket and
 * rejects, on an abort with the reason of the signal.
 */
export function awaitSocket(socket: Duplex, { event, signal, toError }: SocketWait): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off(event, onReady).off('error', fail).off('close', onClose);
    };
    const onReady = (): void => {
      settle();
      resolve();
    };
    const give = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const fail = (cause: unknown): void => give(toError(cause));
    const onClose = (): void => fail(socket.errored ?? closedEarly());
    const onAbort = (): void => give(signal.reason);
    socket.on('error', ignoreError);
    if (signal.aborted) {
      onAbort();
      return;
    }
    if (socket.destroyed) {
      onClose();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(event, onReady).once('error', fail).once('close', onClose);
  });
}

/** A close without an error, told as Node tells it elsewhere. */
export function closedEarly(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
