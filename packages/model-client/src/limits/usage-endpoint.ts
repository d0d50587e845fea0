import type { Dialer } from '@quire/network';
import {
  type Credentials,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ModelError,
  numberAt,
  objectAt,
  parseJsonObject,
  type RateLimitCredits,
  type RateLimitSnapshot,
  type RateLimitWindow,
  stringAt,
} from '@quire/protocol';
import { wrongContentType } from '../errors/content-type.ts';
import { httpError } from '../errors/http-error.ts';
import { printableUrl } from '../errors/redact.ts';
import { destroyBody, readErrorBody, readWholeBody } from '../http/body.ts';
import { type HttpResponse, HttpTransport } from '../http/transport.ts';

const CHATGPT_HOSTS: ReadonlySet<string> = new Set(['chatgpt.com', 'chat.openai.com']);
const TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 1024 * 1024;
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
  const transport = new HttpTransport(request.dialer);
  const secretNames: ReadonlySet<string> = new Set(['authorization', 'chatgpt-account-id']);
  const response = await transport.send({
    url,
    headers,
    secretNames,
    signal,
    headersTimeoutMs: TIMEOUT_MS,
    addressKey: 'chatgpt_base_url',
  });
  const { status, body } = response;
  if (status < 200 || status > 299) {
    const bodyText = await readErrorBody(body, signal);
    const failed = { status, headers: response.headers, bodyText, url: printableUrl(response.url) };
    const secrets = [credentials.accessToken];
    throw httpError(failed, { nowMs: request.nowMs, secrets, credentials: 'chatgpt', remedy: undefined });
  }
  return snapshotsFromUsage(await readReport(response, signal));
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

async function readReport(response: HttpResponse, signal: AbortSignal): Promise<JsonObject> {
  const wrong = wrongContentType(response, { expected: 'JSON' });
  if (wrong !== undefined) destroyBody(response.body);
  const whole =
    wrong === undefined
      ? await readWholeBody(response.body, { maxBytes: MAX_BODY_BYTES, idleTimeoutMs: TIMEOUT_MS, signal })
      : undefined;
  const report = whole?.kind === 'whole' ? parseJsonObject(whole.text) : undefined;
  if (report !== undefined) return report;
  throw unreadable(wrong ?? (whole?.kind === 'truncated' ? whole.cause : undefined));
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
