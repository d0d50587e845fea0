import { type Dialer, NetworkError } from '@quire/network';

/** What a program tells of itself to the authorization server. */
export interface ClientIdentity {
  readonly originator: string;
  readonly userAgent: string;
}

interface ExchangeOptions {
  readonly dialer: Dialer;
  readonly client: ClientIdentity | undefined;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface PostOptions extends ExchangeOptions {
  /** JSON for an object, a form for parameters. */
  readonly body: Readonly<Record<string, string>> | URLSearchParams;
}

export interface GetOptions extends ExchangeOptions {
  readonly bearer: string;
}

export interface PostAnswer {
  readonly status: number;
  readonly text: string;
}

/** Answers of an authorization server are short; what is longer is none. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * One POST. Redirects are not followed: what is sent is meant for that server only. Rejects with NetworkError, or the
 * reason of the signal.
 */
export async function post(url: URL, options: PostOptions): Promise<PostAnswer> {
  const isForm = options.body instanceof URLSearchParams;
  const body = Buffer.from(isForm ? String(options.body) : JSON.stringify(options.body), 'utf8');
  const headers = {
    'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
    'content-length': String(body.length),
  };
  return await exchange(url, { method: 'POST', headers, body }, options);
}

/** One GET with a token. Like `post`. */
export async function get(url: URL, options: GetOptions): Promise<PostAnswer> {
  const headers = { authorization: `Bearer ${options.bearer}` };
  return await exchange(url, { method: 'GET', headers, body: undefined }, options);
}

interface Message {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

async function exchange(url: URL, message: Message, options: ExchangeOptions): Promise<PostAnswer> {
  const { signal, dialer, timeoutMs } = options;
  signal.throwIfAborted();
  const headers = {
    ...message.headers,
    accept: 'application/json',
    // Requests are rare and far apart: a kept socket would only be found dead by the next one.
    connection: 'close',
    ...(options.client === undefined
      ? {}
      : { originator: options.client.originator, 'user-agent': options.client.userAgent }),
  };
  const route = await dialer.route(url);
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const tunnel = new AbortController();
    const outgoing = route.open(url, { method: message.method, headers, signal: tunnel.signal, timeoutMs });
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const fail = (error: unknown): void =>
      settle(() => {
        tunnel.abort(error);
        outgoing.destroy();
        reject(error);
      });
    const onAbort = (): void => fail(signal.reason);
    const timer = setTimeout(() => fail(tooSlow(url, timeoutMs)), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    // Stays attached: a destroyed request may still report an error.
    outgoing.on('error', (error) => fail(route.toNetworkError(error)));
    outgoing.on('response', (response) => {
      const refusal = route.refusal(response.statusCode ?? 0);
      if (refusal !== undefined) {
        fail(refusal);
        return;
      }
      const chunks: Buffer[] = [];
      let byteCount = 0;
      response.on('data', (chunk: Buffer) => {
        byteCount += chunk.length;
        chunks.push(chunk);
        if (byteCount > MAX_ANSWER_BYTES) fail(unusable(url, 'sent an answer that is far too long'));
      });
      response.on('error', (error) => fail(route.toNetworkError(error)));
      response.on('end', () =>
        settle(() => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })),
      );
    });
    outgoing.end(message.body);
  });
}

function tooSlow(url: URL, timeoutMs: number): NetworkError {
  return new NetworkError('timeout', `${url.host} did not answer within ${timeoutMs / 1000} s`, {
    host: url.hostname,
    port: Number(url.port),
    retryable: true,
  });
}

function unusable(url: URL, what: string): NetworkError {
  return new NetworkError('tcp', `${url.host} ${what}`, {
    host: url.hostname,
    port: Number(url.port),
    retryable: true,
  });
}
