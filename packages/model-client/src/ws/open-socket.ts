import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Dialer, NetworkError, type NetworkErrorCode } from '@quire/network';
import { ModelError, type ModelErrorCode } from '@quire/protocol';
import { hostAndPort } from '../errors/connection-error.ts';
import { readErrorBody } from '../http/body.ts';
import type { ResponseHeaders } from '../http/headers-in.ts';

/** Frames below this size are sent as they are: deflating them costs more than it saves. Bytes. */
const DEFLATE_THRESHOLD = 1024;
/** How long a server that closed the WebSocket may take to close the connection, too. */
const CLOSE_TIMEOUT_MS = 50;

export interface OpenSocketOptions {
  /** http or https. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly dialer: Pick<Dialer, 'connect'>;
  /** Makes the error of an answer that is no upgrade. */
  readonly toError: (refusal: UpgradeRefusal) => ModelError;
}

export interface UpgradeRefusal {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly bodyText: string;
}

export interface OpenedSocket {
  readonly socket: import('ws').WebSocket;
  readonly raw: Duplex;
  readonly headers: ResponseHeaders;
}

/**
 * Connects and upgrades. Rejects with a ModelError that carries a `transportFailure`, or the reason of
 * the signal. The whole of it is bounded by `timeoutMs`.
 */
export async function openSocket(options: OpenSocketOptions): Promise<OpenedSocket> {
  const { url, timeoutMs, signal } = options;
  const local = new AbortController();
  const onAbort = (): void => local.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => local.abort(timeoutError(url, timeoutMs)), timeoutMs);
  try {
    return await connectAndUpgrade(options, local.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

async function connectAndUpgrade(options: OpenSocketOptions, signal: AbortSignal): Promise<OpenedSocket> {
  const { url, dialer, timeoutMs } = options;
  const [{ WebSocket }, dialled] = await Promise.all([
    import('ws'),
    dialer.connect(url, { signal, timeoutMs }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw dialError(error);
    }),
  ]);
  if (signal.aborted) {
    dialled.destroy();
    throw signal.reason;
  }
  const socket = new WebSocket(url, {
    headers: { ...options.headers },
    perMessageDeflate: { threshold: DEFLATE_THRESHOLD },
    closeTimeout: CLOSE_TIMEOUT_MS,
    followRedirects: false,
    // As on the other transport, bytes that are no UTF-8 become replacement characters. Checking each of
    // 100,000 frames took 6 % of the whole.
    skipUTF8Validation: true,
    // Typed as a socket; `ws` and `node:http` only use what every duplex stream has.
    createConnection: () => dialled as Socket,
  } as import('ws').ClientOptions);
  return await handshake(socket, options, signal);
}

function handshake(
  socket: import('ws').WebSocket,
  options: OpenSocketOptions,
  signal: AbortSignal,
): Promise<OpenedSocket> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('upgrade', onUpgrade).off('open', onOpen).off('unexpected-response', onRefusal);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.terminate();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onUpgrade = (response: IncomingMessage): void => {
      answer = response;
    };
    const onOpen = (): void => {
      settle();
      socket.off('error', onError);
      // `open` comes after `upgrade`.
      const { headers, socket: raw } = answer as IncomingMessage;
      resolve({ socket, raw, headers });
    };
    const onRefusal = (_request: unknown, response: IncomingMessage): void => {
      readErrorBody(response, signal).then((bodyText) => {
        fail(options.toError({ status: response.statusCode ?? 0, headers: response.headers, bodyText }));
      }, fail);
    };
    // Stays attached after a failure: terminating an unfinished handshake reports one more error.
    const onError = (error: Error): void => fail(signal.aborted ? signal.reason : handshakeError(error, options.url));
    socket.on('error', onError).on('upgrade', onUpgrade).on('open', onOpen).on('unexpected-response', onRefusal);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The connection stands; what goes wrong now is that the other end is no WebSocket server, or leaves. */
function handshakeError(error: Error, url: URL): ModelError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const host = hostAndPort(url);
  if (code === undefined || code.startsWith('HPE_')) {
    const message = `${host} does not answer as a WebSocket server (${code ?? error.message})`;
    return new ModelError('connection-failed', message, {
      retryable: true,
      transportFailure: { kind: 'upgrade-protocol' },
      cause: error,
    });
  }
  return new ModelError('connection-failed', `${host} closed the connection during the WebSocket handshake (${code})`, {
    retryable: true,
    transportFailure: { kind: 'tcp' },
    cause: error,
  });
}

type DialFailure = 'dns' | 'tcp' | 'tls' | 'proxy' | 'connect-timeout';

const DIAL_FAILURES: Readonly<Record<NetworkErrorCode, readonly [ModelErrorCode, DialFailure]>> = {
  dns: ['dns', 'dns'],
  tcp: ['connection-failed', 'tcp'],
  tls: ['tls', 'tls'],
  proxy: ['proxy', 'proxy'],
  timeout: ['request-timeout', 'connect-timeout'],
  configuration: ['configuration', 'tls'],
};

/** The dialer's typed error in this package's terms. */
function dialError(error: unknown): unknown {
  if (!(error instanceof NetworkError)) return error;
  const [code, kind] = DIAL_FAILURES[error.code];
  return new ModelError(code, error.message, {
    retryable: error.retryable,
    httpStatus: error.code === 'proxy' ? error.status : undefined,
    transportFailure: { kind },
    cause: error,
  });
}

function timeoutError(url: URL, timeoutMs: number): ModelError {
  return new ModelError('request-timeout', `${hostAndPort(url)} did not open a WebSocket within ${timeoutMs} ms`, {
    retryable: true,
    transportFailure: { kind: 'connect-timeout' },
  });
}
