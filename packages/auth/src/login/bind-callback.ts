import { createDialer, type Page, type PageServer, PortTakenError, servePages } from '@quire/network';
import { AuthError } from '../auth-error.ts';
import { sleep } from '../waiting.ts';

/** The service sends browsers to these only. Source: sheet of the login, section 4.1. */
export const CALLBACK_PORTS: readonly number[] = [1455, 1457];

const ATTEMPTS = 10;
const RETRY_MS = 200;
const CANCEL_TIMEOUT_MS = 2000;

/**
 * Listens for the browser, on the first port that can be had. A login that waits on one is asked to give up. Rejects
 * with AuthError 'port-in-use', or the reason of the signal.
 */
export async function bindCallback(options: {
  readonly ports: readonly number[];
  readonly onVisit: (url: URL) => Promise<Page>;
  readonly signal: AbortSignal;
}): Promise<PageServer> {
  const { ports, onVisit, signal } = options;
  let cause: unknown;
  for (const port of ports) {
    let hasAsked = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await servePages({ port, onVisit });
      } catch (error) {
        if (!(error instanceof PortTakenError)) throw error;
        cause = error;
      }
      if (!hasAsked) await askToGiveUp(port);
      hasAsked = true;
      await sleep(RETRY_MS, signal);
    }
  }
  throw new AuthError(
    'port-in-use',
    `${placesOf(ports)} of this machine, where the browser comes back to; end what uses that, or use quire login --device-auth`,
    { cause },
  );
}

function placesOf(ports: readonly number[]): string {
  return ports.length === 1
    ? `another program has port ${ports[0]}`
    : `other programs have the ports ${ports.join(' and ')}`;
}

/** Whatever listens there is no concern of ours when it does not understand. */
async function askToGiveUp(port: number): Promise<void> {
  const url = new URL(`http://127.0.0.1:${port}/cancel`);
  const dialer = createDialer({ environment: {} }); // loopback needs no proxy
  try {
    const route = await dialer.route(url);
    await new Promise<void>((resolve) => {
      const signal = new AbortController().signal;
      const headers = { connection: 'close' };
      const request = route.open(url, { method: 'GET', headers, signal, timeoutMs: CANCEL_TIMEOUT_MS });
      const timer = setTimeout(() => request.destroy(), CANCEL_TIMEOUT_MS);
      request.on('error', () => undefined); // 'close' follows
      request.on('response', (response) => response.resume().on('error', () => undefined));
      request.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      request.end();
    });
  } finally {
    dialer.close();
  }
}
