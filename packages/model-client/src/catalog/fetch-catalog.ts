import { catalogClientVersion, type FetchedCatalog } from '@quire/core';
import { type Credentials, type JsonObject, ModelError, parseJsonObject, stringAt } from '@quire/protocol';
import { wrongContentType } from '../errors/content-type.ts';
import { type HttpErrorContext, httpError } from '../errors/http-error.ts';
import { printableUrl } from '../errors/redact.ts';
import { destroyBody, readWholeBody, releaseBody } from '../http/body.ts';
import { headerText, requestIdOf } from '../http/headers-in.ts';
import { type HttpResponse, HttpTransport } from '../http/transport.ts';
import { commonHeaders } from '../request/headers.ts';
import { requestUrl } from '../request/url.ts';
import { requestWithRetries } from '../request-with-retries.ts';
import { secretsIn } from '../thread-line.ts';
import type { CatalogSourceOptions } from './catalog-source-options.ts';

/** Source: facts, models endpoint. */
const TIMEOUT_MS = 5_000;
/** Entries carry whole instructions; a real list is below 1 MiB. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const NOT_MODIFIED = 304;
const MAX_RETRIES = 100;

export interface CatalogRequest {
  readonly credentials: Credentials;
  readonly knownEtag: string | undefined;
  readonly signal: AbortSignal;
}

/** `GET …/models` with its retries, all within the time of one fetch. Rejects with ModelError or the reason of `signal`. */
export async function fetchCatalog(options: CatalogSourceOptions, request: CatalogRequest): Promise<FetchedCatalog> {
  const { timeoutMs = TIMEOUT_MS } = options;
  request.signal.throwIfAborted();
  const budget = AbortSignal.timeout(timeoutMs);
  const transport = new HttpTransport(options.dialer);
  try {
    const signal = AbortSignal.any([request.signal, budget]);
    return await readCatalog(await ask(transport, options, { ...request, signal }), { signal, timeoutMs });
  } catch (error) {
    request.signal.throwIfAborted();
    if (!budget.aborted) throw error;
    const message = `the models endpoint of the provider "${options.provider.id}" did not answer within ${timeoutMs} ms`;
    throw new ModelError('request-timeout', message, { retryable: true, cause: error });
  } finally {
    transport.close();
  }
}

async function ask(
  transport: HttpTransport,
  options: CatalogSourceOptions,
  { credentials, knownEtag, signal }: CatalogRequest,
): Promise<HttpResponse> {
  const { provider, clock, entropy, observer = {}, timeoutMs = TIMEOUT_MS } = options;
  const sent = commonHeaders(options, credentials);
  const headers = {
    ...sent.headers,
    accept: 'application/json',
    ...(knownEtag === undefined ? {} : { 'if-none-match': knownEtag }),
  };
  const url = catalogUrl(options, credentials);
  const context: HttpErrorContext = {
    nowMs: clock.now(),
    secrets: secretsIn(sent, provider),
    credentials: credentials.kind,
    remedy: options.credentials.remedy,
  };
  const { secretNames } = sent;
  return await requestWithRetries(
    transport,
    { url, headers, secretNames, signal, headersTimeoutMs: timeoutMs },
    {
      endpoint: '/models',
      maxRetries: Math.min(provider.requestMaxRetries, MAX_RETRIES),
      goodStatuses: new Set([NOT_MODIFIED]),
      clock,
      entropy,
      observer,
      toError: (failed, bodyText) =>
        httpError({ status: failed.status, headers: failed.headers, bodyText, url: printableUrl(failed.url) }, context),
    },
  );
}

/** Behind whatever query the provider's own address has. */
export function catalogUrl(
  { provider, clientVersion }: Pick<CatalogSourceOptions, 'provider' | 'clientVersion'>,
  credentials: Credentials,
): URL {
  const url = requestUrl(provider, credentials, 'models');
  const version = `client_version=${catalogClientVersion(clientVersion)}`;
  url.search = url.search === '' ? version : `${url.search}&${version}`;
  return url;
}

async function readCatalog(
  response: HttpResponse,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<FetchedCatalog> {
  if (response.status === NOT_MODIFIED) {
    releaseBody(response.body);
    return { kind: 'unchanged' };
  }
  const wrong = wrongContentType(response, { expected: 'JSON' });
  if (wrong !== undefined) {
    destroyBody(response.body);
    throw wrong;
  }
  const body = await readWholeBody(response.body, { maxBytes: MAX_BODY_BYTES, idleTimeoutMs: timeoutMs, signal });
  if (body.kind === 'too-large') throw unusable(response, `more than ${MAX_BODY_BYTES} bytes`);
  if (body.kind !== 'whole') {
    throw new ModelError('stream-truncated', `${printableUrl(response.url)} broke off its list of models`, {
      retryable: true,
      requestId: requestIdOf(response.headers),
      cause: body.kind === 'truncated' ? body.cause : undefined,
    });
  }
  return listIn(parseJsonObject(body.text), response);
}

/** Source for the etag in the body: older servers. */
function listIn(answer: JsonObject | undefined, response: HttpResponse): FetchedCatalog {
  if (answer === undefined) throw unusable(response, 'something that is not a JSON object');
  const models = answer['models'];
  if (!Array.isArray(models)) throw unusable(response, 'no list "models"');
  return { kind: 'list', models, etag: headerText(response.headers, 'etag') ?? stringAt(answer, 'etag') };
}

function unusable({ url, status, headers }: HttpResponse, what: string): ModelError {
  const message = `${printableUrl(url)} answered with ${what}; check base_url`;
  return new ModelError('stream-protocol', message, {
    retryable: false,
    httpStatus: status,
    requestId: requestIdOf(headers),
  });
}
