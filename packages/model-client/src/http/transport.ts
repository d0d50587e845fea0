import type { IncomingMessage } from 'node:http';
import { type Dialer, NetworkError, type Route } from '@quire/network';
import { ModelError } from '@quire/protocol';
import { connectionError, hostAndPort, isReset } from '../errors/connection-error.ts';
import { releaseBody } from './body.ts';
import { headerText, type ResponseHeaders } from './headers-in.ts';

const MAX_REDIRECTS = 5;

/** Without a body it is a GET. */
export interface HttpRequest {
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Header names that are not sent to another origin. */
  readonly secretNames: ReadonlySet<string>;
  readonly body?: Buffer;
  readonly signal: AbortSignal;
  /** Longest wait for the response headers, connecting included. Error: ModelError 'idle-timeout'. */
  readonly headersTimeoutMs: number;
  /** The setting that the address was taken from, for messages. Default: `base_url`. */
  readonly addressKey?: string;
}

export interface HttpPost extends HttpRequest {
  readonly body: Buffer;
}

export interface HttpResponse {
  /** Where it came from in the end. */
  readonly url: URL;
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** The reader must read, release or destroy it. */
  readonly body: IncomingMessage;
}

/** GET and POST over HTTP/1.1, on sockets that the dialer keeps for the next request. */
export class HttpTransport {
  readonly #dialer: Dialer;
  #closed = false;

  /** The dialer may serve others, too; whoever made it closes it. */
  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  /** Resolves with the response headers. Rejects with ModelError, or the reason of the signal. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    let { url } = request;
    let headers = request.headers;
    for (let redirects = 0; ; redirects += 1) {
      const body = await this.#sendOnce({ ...request, url, headers });
      const response = { url, status: body.statusCode ?? 0, headers: body.headers, body };
      const target = redirectTarget(response);
      if (target === undefined) return response;
      releaseBody(body);
      if (redirects === MAX_REDIRECTS) throw redirectError(url, `more than ${MAX_REDIRECTS} redirects`);
      if (url.protocol === 'https:' && target.protocol === 'http:') {
        throw redirectError(url, `a redirect from https to http at ${target.host}`);
      }
      if (target.origin !== url.origin) headers = without(headers, request.secretNames);
      url = target;
    }
  }

  /** No request begins from now on. Closing twice is fine. */
  close(): void {
    this.#closed = true;
  }

  async #sendOnce(request: HttpRequest): Promise<IncomingMessage> {
    this.#throwIfClosed();
    const route = await this.#route(request);
    request.signal.throwIfAborted();
    this.#throwIfClosed();
    try {
      return await send(route, request);
    } catch (error) {
      if (!(error instanceof StaleSocketError)) throw error;
      // The server closed the pooled socket while it was idle and saw nothing of this request. The other
      // idle ones are as old; the second attempt must not pick one of them.
      for (const sockets of Object.values(route.agent.freeSockets)) {
        for (const socket of sockets ?? []) socket.destroy();
      }
      return await send(route, request);
    }
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new ModelError('connection-failed', 'the model client is closed', { retryable: false });
  }

  async #route({ url, addressKey }: HttpRequest): Promise<Route> {
    try {
      return await this.#dialer.route(url);
    } catch (error) {
      if (error instanceof NetworkError) throw connectionError(error, { url, proxy: undefined, addressKey });
      throw error;
    }
  }
}

/** A socket from the pool was reset before any byte of the response. */
class StaleSocketError extends Error {}

function send(route: Route, request: HttpRequest): Promise<IncomingMessage> {
  const { url, signal, body, headersTimeoutMs: timeoutMs, addressKey } = request;
  const target = { url, proxy: route.proxy, addressKey };
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const headers = { ...request.headers, ...length };
    const method = body === undefined ? 'GET' : 'POST';
    const outgoing = route.open(url, { method, headers, signal, timeoutMs });
    const timer = setTimeout(() => fail(timeoutError(url, timeoutMs)), timeoutMs);
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      settle();
      outgoing.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    // Stays attached: the socket may report an error after the response or the abort was dealt with.
    outgoing.on('error', (error) => {
      if (outgoing.reusedSocket && isReset(error)) fail(new StaleSocketError('stale socket', { cause: error }));
      else fail(signal.aborted ? signal.reason : connectionError(route.toNetworkError(error), target));
    });
    outgoing.on('response', (response) => {
      const refusal = route.refusal(response.statusCode ?? 0);
      if (refusal !== undefined) {
        fail(connectionError(refusal, target));
        return;
      }
      settle();
      resolve(response);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.end(body);
  });
}

function timeoutError(url: URL, timeoutMs: number): ModelError {
  return new ModelError('idle-timeout', `${hostAndPort(url)} sent no response within ${timeoutMs} ms`, {
    retryable: true,
  });
}

/** Where a response that keeps method and body points to; other redirects are for browsers. */
function redirectTarget(response: HttpResponse): URL | undefined {
  if (response.status !== 307 && response.status !== 308) return undefined;
  const location = headerText(response.headers, 'location');
  if (location === undefined || !URL.canParse(location, response.url.href)) return undefined;
  const target = new URL(location, response.url);
  return target.protocol === 'http:' || target.protocol === 'https:' ? target : undefined;
}

function redirectError(url: URL, what: string): ModelError {
  return new ModelError('connection-failed', `${hostAndPort(url)} answered with ${what}; check base_url`, {
    retryable: false,
  });
}

function without(headers: Readonly<Record<string, string>>, names: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name)));
}
