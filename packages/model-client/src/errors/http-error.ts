import { STATUS_CODES } from 'node:http';
import {
  type Credentials,
  type JsonObject,
  ModelError,
  type ModelErrorCode,
  type ModelErrorDetails,
  objectAt,
  parseJsonObject,
  stringAt,
  type TransportFailure,
} from '@quire/protocol';
import { headerText, type ResponseHeaders, requestIdOf } from '../http/headers-in.ts';
import { authErrorCode } from '../unauthorized/auth-tags.ts';
import { IMAGE_REFUSED, namedInput, refusesImage } from './named-input.ts';
import { withoutSecrets } from './redact.ts';
import { parseRetryAfter } from './retry-after.ts';
import { usageLimitError } from './usage-limit.ts';

export interface FailedResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Possibly cut. */
  readonly bodyText: string;
  /** Fit to be shown. */
  readonly url: string;
}

export interface HttpErrorContext {
  readonly nowMs: number;
  /** Texts that must not get into a message. */
  readonly secrets: readonly string[];
  readonly credentials: Credentials['kind'];
  /** What can be done when the credentials are refused, by whoever gave them. */
  readonly remedy: string | undefined;
  /** For an answer that did not come to a plain request. */
  readonly transportFailure?: TransportFailure | undefined;
  /** The place in the request's whole input of what the server calls `input[named]`. Absent: never known. */
  readonly inputIndex?: ((named: number) => number | undefined) | undefined;
}

const MAX_DETAIL_CHARACTERS = 1000;

/** A response that is not a success, as a typed error. Source: the peer's table of statuses, see docs/model-requests.md. */
export function httpError(response: FailedResponse, context: HttpErrorContext): ModelError {
  const body = parseJsonObject(response.bodyText);
  const error = body === undefined ? undefined : objectAt(body, 'error');
  const code = error === undefined ? undefined : stringAt(error, 'code');
  const type = error === undefined ? undefined : stringAt(error, 'type');
  const facts: Facts = { response, context, error, code, type, detail: detailOf(response, body, context) };
  switch (response.status) {
    case 400:
      return badRequest(facts);
    case 401:
      return unauthorized(facts);
    case 407:
      return make(
        facts,
        'proxy',
        'the proxy wants credentials (407); put them into the proxy URL: http://user:password@host:port',
        {
          retryable: false,
        },
      );
    case 429:
      return tooManyRequests(facts);
    case 500:
      return make(
        facts,
        'internal-server-error',
        `the provider failed to answer, perhaps because of high demand: ${statusText(facts)}`,
      );
    case 503:
      if (code === 'server_is_overloaded' || code === 'slow_down') {
        return make(facts, 'overloaded', 'the model is at capacity; try again later or choose another model', {
          retryable: false,
        });
      }
      return make(facts, 'unexpected-status', statusText(facts));
    default:
      return make(facts, 'unexpected-status', statusText(facts));
  }
}

interface Facts {
  readonly response: FailedResponse;
  readonly context: HttpErrorContext;
  readonly error: JsonObject | undefined;
  readonly code: string | undefined;
  readonly type: string | undefined;
  /** What the server said, short and without secrets. */
  readonly detail: string;
}

function badRequest(facts: Facts): ModelError {
  const { code, detail } = facts;
  const final = { retryable: false };
  if (code === 'context_length_exceeded') return make(facts, 'context-window-exceeded', detail, final);
  if (code === 'cyber_policy' || code === 'bio_policy') return make(facts, 'policy', detail, final);
  const text = stringAt(facts.error ?? {}, 'message') ?? facts.response.bodyText;
  const named = namedInput(facts.error, text);
  const refusal = { ...final, rejectedInputIndex: named && facts.context.inputIndex?.(named.index) };
  if (refusesImage(code, named, facts.response.bodyText)) return make(facts, 'invalid-image', IMAGE_REFUSED, refusal);
  return make(facts, 'invalid-request', detail, refusal);
}

const REMEDIES: Readonly<Record<Credentials['kind'], string>> = {
  chatgpt: 'the login is no longer accepted: log in again with quire login',
  'api-key': 'the key was refused: store another with quire login --with-api-key',
  none: 'this provider wants a key: name the variable that holds it as env_key of the provider',
};

function unauthorized(facts: Facts): ModelError {
  const { credentials, remedy } = facts.context;
  const advice = remedy ?? REMEDIES[credentials];
  return make(facts, 'unauthorized', `${statusText(facts)}; ${advice}`, { retryable: false });
}

function tooManyRequests(facts: Facts): ModelError {
  const { error, type, code, response, context } = facts;
  if (error !== undefined && type === 'usage_limit_reached') {
    return usageLimitError(error, response.headers, {
      nowMs: context.nowMs,
      requestId: requestIdOf(response.headers),
      httpStatus: response.status,
      transportFailure: context.transportFailure,
    });
  }
  if (type === 'usage_not_included') return usageNotIncluded(facts);
  if (type === 'insufficient_quota' || code === 'insufficient_quota') {
    return make(facts, 'quota-exceeded', 'the quota is used up: check plan and billing of the account', {
      retryable: false,
    });
  }
  // Without a delay the server gives no reason to hope for the next attempt.
  if (headerText(response.headers, 'retry-after') === undefined) {
    return make(facts, 'retry-limit', `too many requests: ${statusText(facts)}`, { retryable: false });
  }
  return make(facts, 'rate-limited', `too many requests: ${statusText(facts)}`);
}

function usageNotIncluded(facts: Facts): ModelError {
  return make(
    facts,
    'usage-not-included',
    'the plan of this account does not include this use: upgrade to Plus, or use an API key',
    {
      retryable: false,
    },
  );
}

function make(
  facts: Facts,
  code: ModelErrorCode,
  message: string,
  options: Pick<ModelErrorDetails, 'retryable' | 'rejectedInputIndex'> = { retryable: true },
): ModelError {
  const { response, context } = facts;
  return new ModelError(code, message, {
    ...options,
    retryAfterMs: parseRetryAfter(headerText(response.headers, 'retry-after'), context.nowMs),
    httpStatus: response.status,
    requestId: requestIdOf(response.headers),
    transportFailure: context.transportFailure,
  });
}

/** `unexpected status 404 Not Found: …, url: …, request id: …`: the form that people search for. */
function statusText(facts: Facts): string {
  const { status, headers, url } = facts.response;
  const reason = STATUS_CODES[status];
  const evidence: readonly (readonly [string, string | undefined])[] = [
    ['url', url],
    ['cf-ray', headerText(headers, 'cf-ray')],
    ['request id', requestIdOf(headers)],
    ['auth error', headerText(headers, 'x-openai-authorization-error')],
    ['auth error code', authErrorCode(headerText(headers, 'x-error-json'))],
  ];
  const tail = evidence.map(([name, value]) => (value === undefined ? '' : `, ${name}: ${value}`)).join('');
  const text = `unexpected status ${status}${reason === undefined ? '' : ` ${reason}`}: ${facts.detail}${tail}`;
  return withoutSecrets(text, facts.context.secrets);
}

function detailOf(response: FailedResponse, body: JsonObject | undefined, context: HttpErrorContext): string {
  const { bodyText, status } = response;
  if (status === 403 && bodyText.includes('Cloudflare') && bodyText.includes('blocked')) {
    return 'access was blocked by Cloudflare, which usually means that the provider does not serve this region or network';
  }
  const error = body === undefined ? undefined : objectAt(body, 'error');
  const message = error === undefined ? undefined : stringAt(error, 'message')?.trim();
  const text = message === undefined || message === '' ? bodyText.trim() : message;
  if (text === '') return 'Unknown error';
  const cut = text.length > MAX_DETAIL_CHARACTERS ? `${text.slice(0, MAX_DETAIL_CHARACTERS)}...` : text;
  return withoutSecrets(cut, context.secrets);
}
