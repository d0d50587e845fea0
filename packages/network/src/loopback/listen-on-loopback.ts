import { NetworkError } from '../network-error.ts';
import { PortTakenError, servePages } from './serve-pages.ts';

export interface LoopbackPage {
  readonly status: number;
  /** Plain text. */
  readonly text: string;
}

export interface LoopbackListener {
  readonly port: number;
  /** Answers nobody any more; twice is fine. */
  close(): Promise<void>;
}

/**
 * `servePages` for pages of plain text that are known at once: `onVisit` is called for every GET and must not throw.
 * Rejects with NetworkError 'tcp' when the port is taken.
 *
 * @param options `port` 0 takes a free one
 */
export async function listenOnLoopback(options: {
  readonly port: number;
  readonly onVisit: (url: URL) => LoopbackPage;
}): Promise<LoopbackListener> {
  const { port, onVisit } = options;
  try {
    return await servePages({
      port,
      onVisit: async (url) => {
        const { status, text } = onVisit(url);
        return { kind: 'text', status, body: text };
      },
    });
  } catch (cause) {
    if (!(cause instanceof PortTakenError)) throw cause;
    throw new NetworkError('tcp', cause.message, { host: '127.0.0.1', port, retryable: false, cause });
  }
}
