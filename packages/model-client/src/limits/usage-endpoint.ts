import type { IncomingMessage } from 'node:http';
import { type Dialer, NetworkError } from '@quire/network';
import {
  type Credentials,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ModelError,
  numberAt,
  objectAt,
  type RateLimitCredits,
  type RateLimitSnapshot,
  type RateLimitWindow,
  stringAt,
} from '@quire/protocol';
import { connectionError } from '../errors/connection-error.ts';
import { httpError } from '../errors/http-error.ts';
import { printableUrl } from '../errors/redact.ts';
import { readErrorBody } from '../http/body.ts';

const CHATGPT_HOSTS: ReadonlySet<string> = new Set(['chatgpt.com', 'chat.openai.com']);
const TIMEOUT_MS = 30_000;
const DEFAULT_LIMIT = 'codex';

export interface UsageRequest {
  readonly dialer: Dialer;
  /** `chatgpt_base_url` of the configuration. */
  readonly chatgptBaseUrl: string;
  /** Only a ChatGPT login has usage to ask for. */
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/**
 * What is left of an account's allowances: the default limit first, then the additional ones. Rejects with
 * ModelError, or the reason of the signal.
 */
export async function fetchUsage(request: UsageRequest): Promise<readonly RateLimitSnapshot[]> {
  const { credentials, signal } = request;
  signal.throwIfAborted();
  if (credentials.kind !== 'chatgpt') {
    throw new ModelError(
      'configuration',
      'limits can only be asked for with a ChatGPT login, and there is none in auth.json of the home folder',
      {
        retryable: false,
      },
    );
  }
  const url = usageUrl(request.chatgptBaseUrl);
  const headers = {
    accept: 'application/json',
    'user-agent': request.userAgent,
    authorization: `Bearer ${credentials.accessToken}`,
    ...(credentials.accountId === undefined ? {} : { 'chatgpt-account-id': credentials.accountId }),
  };
  const response = await get(url, headers, request);
  const bodyText = await readErrorBody(response, signal);
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) {
    const failed = { status, headers: response.headers, bodyText, url: printableUrl(url) };
    const secrets = [credentials.accessToken];
    throw httpError(failed, { nowMs: request.nowMs, secrets, credentials: 'chatgpt', keyVariable: 'CODEX_API_KEY' });
  }
  return snapshotsFromUsage(parse(bodyText));
}

/** Below `/backend-api` the service has another path than elsewhere. Throws ModelError 'configuration'. */
export function usageUrl(chatgptBaseUrl: string): URL {
  const trimmed = chatgptBaseUrl.replace(/\/+$/, '');
  if (!URL.canParse(trimmed)) {
    throw new ModelError('configuration', 'chatgpt_base_url is not a URL; correct it in the configuration', {
      retryable: false,
    });
  }
  const bare = CHATGPT_HOSTS.has(new URL(trimmed).hostname) && !trimmed.includes('/backend-api');
  const base = bare ? `${trimmed}/backend-api` : trimmed;
  return new URL(`${base}${base.includes('/backend-api') ? '/wham/usage' : '/api/codex/usage'}`);
}

/** An answer of the usage endpoint as snapshots. */
export function snapshotsFromUsage(body: JsonObject): readonly RateLimitSnapshot[] {
  const planType = stringAt(body, 'plan_type');
  const first: RateLimitSnapshot = {
    limitId: DEFAULT_LIMIT,
    limitName: undefined,
    ...windows(objectAt(body, 'rate_limit')),
    credits: creditsIn(objectAt(body, 'credits')),
    planType,
  };
  const additional: JsonValue | undefined = body['additional_rate_limits'];
  const others = Array.isArray(additional) ? additional.filter(isJsonObject) : [];
  return [
    first,
    ...others.flatMap((limit): RateLimitSnapshot[] => {
      const limitId = stringAt(limit, 'metered_feature');
      if (limitId === undefined) return [];
      const limitName = stringAt(limit, 'limit_name');
      return [{ limitId, limitName, ...windows(objectAt(limit, 'rate_limit')), credits: undefined, planType }];
    }),
  ];
}

function windows(limit: JsonObject | undefined): Pick<RateLimitSnapshot, 'primary' | 'secondary'> {
  return { primary: windowIn(limit, 'primary_window'), secondary: windowIn(limit, 'secondary_window') };
}

function windowIn(limit: JsonObject | undefined, name: string): RateLimitWindow | undefined {
  const window = limit === undefined ? undefined : objectAt(limit, name);
  const usedPercent = window === undefined ? undefined : numberAt(window, 'used_percent');
  if (window === undefined || usedPercent === undefined) return undefined;
  const seconds = numberAt(window, 'limit_window_seconds') ?? 0;
  const windowMinutes = seconds > 0 ? Math.ceil(seconds / 60) : undefined;
  return { usedPercent, windowMinutes, resetsAtSeconds: numberAt(window, 'reset_at') };
}

function creditsIn(raw: JsonObject | undefined): RateLimitCredits | undefined {
  const hasCredits = raw?.['has_credits'];
  const unlimited = raw?.['unlimited'];
  if (raw === undefined || typeof hasCredits !== 'boolean' || typeof unlimited !== 'boolean') return undefined;
  return { hasCredits, unlimited, balance: stringAt(raw, 'balance') };
}

function parse(text: string): JsonObject {
  try {
    const body: unknown = JSON.parse(text);
    if (isJsonObject(body)) return body;
  } catch (cause) {
    throw unreadable(cause);
  }
  throw unreadable(/* cause */ undefined);
}

function unreadable(cause: unknown): ModelError {
  return new ModelError(
    'stream-protocol',
    'the usage endpoint did not answer with a JSON object; check chatgpt_base_url',
    {
      retryable: false,
      cause,
    },
  );
}

async function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { dialer, signal }: UsageRequest,
): Promise<IncomingMessage> {
  const route = await dialer.route(url).catch((error: unknown) => {
    throw error instanceof NetworkError ? connectionError(error, { url, proxy: undefined }) : error;
  });
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const outgoing = route.open(url, { method: 'GET', headers, signal, timeoutMs: TIMEOUT_MS });
    const timer = setTimeout(() => fail(tooSlow(url)), TIMEOUT_MS);
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
    // Stays attached: a destroyed request may still report an error.
    outgoing.on('error', (error) => fail(connectionError(route.toNetworkError(error), { url, proxy: route.proxy })));
    outgoing.on('response', (response) => {
      settle();
      resolve(response);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.end();
  });
}

function tooSlow(url: URL): ModelError {
  return new ModelError('request-timeout', `${url.host} did not tell the limits within ${TIMEOUT_MS} ms`, {
    retryable: true,
  });
}
