import type { IncomingMessage } from 'node:http';
import { type Dialer, NetworkError, type Route } from '@quire/network';
import { rejectedInJson, rejectedInProtobuf } from '../otlp/partial-success.ts';
import { ANSWER_TIMEOUT_MS, type Courier, MAX_ANSWER_BYTES, type SendOutcome } from './send-outcome.ts';

/** Statuses after which the same message may be taken. Source: OTLP specification. */
const LATER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface HttpAddress {
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: 'binary' | 'json';
}

/** OTLP over HTTP. */
export class HttpCourier implements Courier {
  readonly #dialer: Pick<Dialer, 'route'>;
  readonly #address: HttpAddress;
  readonly #now: () => number;

  constructor(dialer: Pick<Dialer, 'route'>, address: HttpAddress, now: () => number) {
    this.#dialer = dialer;
    this.#address = address;
    this.#now = now;
  }

  async send(message: Buffer, { signal }: { readonly signal: AbortSignal }): Promise<SendOutcome> {
    const bound = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const ending = AbortSignal.any([signal, bound]);
    try {
      const { url } = this.#address;
      const route = await this.#dialer.route(url, { signal: ending });
      const answer = await this.#post(route, message, ending);
      return this.#judge(answer);
    } catch (error) {
      signal.throwIfAborted();
      if (bound.aborted) return later(`no answer within ${ANSWER_TIMEOUT_MS / 1_000} s`);
      if (error instanceof NetworkError) {
        return error.retryable ? later(error.message) : { kind: 'refused', reason: error.message };
      }
      return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #post(route: Route, message: Buffer, signal: AbortSignal): Promise<Answer> {
    const { url, headers, protocol } = this.#address;
    return new Promise((resolve, reject) => {
      const outgoing = route.open(url, {
        method: 'POST',
        headers: {
          'user-agent': 'quire',
          ...headers,
          'content-type': protocol === 'json' ? 'application/json' : 'application/x-protobuf',
          'content-length': String(message.length),
        },
        signal,
        timeoutMs: ANSWER_TIMEOUT_MS,
      });
      const settle = (finish: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const fail = (error: unknown): void =>
        settle(() => {
          outgoing.destroy();
          reject(error);
        });
      const onAbort = (): void => fail(signal.reason);
      // Stays attached: the socket may report an error after the answer or the abort was dealt with.
      outgoing.on('error', (error) => fail(route.toNetworkError(error)));
      outgoing.on('response', (response) => {
        const refusal = route.refusal(response.statusCode ?? 0);
        if (refusal !== undefined) fail(refusal);
        else readAnswer(response, { done: (answer) => settle(() => resolve(answer)), fail });
      });
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      else outgoing.end(message);
    });
  }

  #judge({ status, headers, body }: Answer): SendOutcome {
    if (LATER.has(status)) {
      return { kind: 'later', afterMs: this.#retryAfterMs(headers['retry-after']), reason: `HTTP status ${status}` };
    }
    if (status < 200 || status >= 300) return { kind: 'refused', reason: `HTTP status ${status}` };
    const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    // Some answer with no type, or nothing at all.
    const isForeign = type !== '' && type !== 'application/json' && type !== 'application/x-protobuf';
    const rejected = isForeign && body.length > 0 ? undefined : rejectedIn(type, body);
    if (rejected === undefined) return { kind: 'refused', reason: 'what answers there is not an OTLP collector' };
    return { kind: 'taken', rejected };
  }

  #retryAfterMs(text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - this.#now();
    return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function rejectedIn(type: string, body: Buffer): number | undefined {
  return type === 'application/x-protobuf' ? rejectedInProtobuf(body) : rejectedInJson(body);
}

function later(reason: string): SendOutcome {
  return { kind: 'later', afterMs: undefined, reason };
}

function readAnswer(
  response: IncomingMessage,
  handlers: { readonly done: (answer: Answer) => void; readonly fail: (error: unknown) => void },
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
    else handlers.fail(new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`));
  });
  response.on('error', handlers.fail);
  response.on('aborted', () => handlers.fail(new Error('the answer broke off')));
  response.on('end', () => {
    const { statusCode = 0, headers } = response;
    handlers.done({ status: statusCode, headers, body: Buffer.concat(chunks) });
  });
}
