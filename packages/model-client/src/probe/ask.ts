import { ModelError } from '@quire/protocol';
import { catalogUrl } from '../catalog/fetch-catalog.ts';
import { hostAndPort } from '../errors/connection-error.ts';
import { wrongContentType } from '../errors/content-type.ts';
import { type FailedResponse, type HttpErrorContext, httpError } from '../errors/http-error.ts';
import { printableUrl } from '../errors/redact.ts';
import { destroyBody, readErrorBody, releaseBody } from '../http/body.ts';
import { headerText, type ResponseHeaders } from '../http/headers-in.ts';
import { type HttpResponse, HttpTransport } from '../http/transport.ts';
import { commonHeaders, handshakeHeaders, type RequestHeaders } from '../request/headers.ts';
import { requestUrl } from '../request/url.ts';
import { secretsIn } from '../thread-line.ts';
import { openSocket } from '../ws/open-socket.ts';
import type { ProbeAnswer, ProbeOptions } from './probe-options.ts';

/** Stands for the thread that a handshake belongs to. */
const NO_THREAD = '00000000-0000-0000-0000-000000000000';

export async function askForModels(options: ProbeOptions): Promise<ProbeAnswer> {
  const { credentials, dialer } = options;
  const url = catalogUrl(options, credentials);
  const sent = commonHeaders(options, credentials);
  const transport = new HttpTransport(dialer);
  return await probing(url, options, async (signal) => {
    try {
      const response = await transport.send({
        url,
        headers: { ...sent.headers, accept: 'application/json' },
        secretNames: sent.secretNames,
        signal,
        headersTimeoutMs: options.timeoutMs,
      });
      const { status, headers } = response;
      return { status, headers, error: await judged(response, { options, sent, signal }) };
    } finally {
      transport.close();
    }
  });
}

export async function openAndClose(options: ProbeOptions): Promise<ProbeAnswer> {
  const { credentials, dialer, timeoutMs } = options;
  const url = requestUrl(options.provider, credentials, 'responses');
  const turn = { state: undefined, metadata: undefined, timingMetrics: false };
  const sent = handshakeHeaders({ ...options, threadId: NO_THREAD }, credentials, turn);
  return await probing(url, options, async (signal) => {
    let headers: ResponseHeaders = {};
    const toError = (refusal: Omit<FailedResponse, 'url'>): ModelError => {
      headers = refusal.headers;
      const transportFailure = { kind: 'upgrade-status', status: refusal.status } as const;
      return httpError({ ...refusal, url: printableUrl(url) }, { ...contextOf(options, sent), transportFailure });
    };
    try {
      const opened = await openSocket({ url, headers: sent.headers, timeoutMs, signal, dialer, toError });
      opened.socket.terminate();
      return { status: 101, headers: opened.headers, error: undefined };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return { status: error.httpStatus, headers, error };
    }
  });
}

interface Outcome {
  readonly status: number | undefined;
  readonly headers: ResponseHeaders;
  readonly error: ModelError | undefined;
}

async function probing(
  url: URL,
  { clock, signal: caller, timeoutMs }: ProbeOptions,
  ask: (signal: AbortSignal) => Promise<Outcome>,
): Promise<ProbeAnswer> {
  caller.throwIfAborted();
  const budget = AbortSignal.timeout(timeoutMs);
  const startedAtMs = clock.now();
  const answer = (outcome: Outcome): ProbeAnswer => {
    const endedAtMs = clock.now();
    return {
      url: printableUrl(url),
      status: outcome.status,
      error: outcome.error,
      durationMs: Math.max(0, endedAtMs - startedAtMs),
      serverTimeMs: timeIn(outcome.headers),
      askedAtMs: (startedAtMs + endedAtMs) / 2,
    };
  };
  try {
    return answer(await ask(AbortSignal.any([caller, budget])));
  } catch (error) {
    caller.throwIfAborted();
    if (budget.aborted) return answer({ status: undefined, headers: {}, error: silence(url, timeoutMs, error) });
    if (!(error instanceof ModelError)) throw error;
    return answer({ status: undefined, headers: {}, error });
  }
}

function silence(url: URL, timeoutMs: number, cause: unknown): ModelError {
  const message = `${hostAndPort(url)} did not answer within ${timeoutMs} ms; check base_url and the network`;
  return new ModelError('request-timeout', message, { retryable: true, cause });
}

async function judged(
  response: HttpResponse,
  asked: { readonly options: ProbeOptions; readonly sent: RequestHeaders; readonly signal: AbortSignal },
): Promise<ModelError | undefined> {
  const { status, headers, body } = response;
  const wrong = wrongContentType(response, { expected: 'JSON' });
  if (wrong !== undefined) {
    destroyBody(body);
    return wrong;
  }
  if (status >= 200 && status <= 299) {
    releaseBody(body);
    return undefined;
  }
  const bodyText = await readErrorBody(body, asked.signal);
  return httpError(
    { status, headers, bodyText, url: printableUrl(response.url) },
    contextOf(asked.options, asked.sent),
  );
}

function contextOf({ clock, credentials, provider, remedy }: ProbeOptions, sent: RequestHeaders): HttpErrorContext {
  return {
    nowMs: clock.now(),
    secrets: secretsIn(sent, provider),
    credentials: credentials.kind,
    remedy,
  };
}

function timeIn(headers: ResponseHeaders): number | undefined {
  const time = Date.parse(headerText(headers, 'date') ?? '');
  return Number.isNaN(time) ? undefined : time;
}
