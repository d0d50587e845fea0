import {
  type JsonObject,
  numberAt,
  objectAt,
  type RateLimitCredits,
  type RateLimitSnapshot,
  type RateLimitWindow,
  stringAt,
} from '@quire/protocol';
import { headerText, type ResponseHeaders } from '../http/headers-in.ts';

const DEFAULT_LIMIT = 'codex';
const FAMILY = /^x-(.+)-primary-used-percent$/;

/**
 * One snapshot for each limit that the headers tell of. The default one comes first and always, empty if
 * need be: it lets older credits and plan live on when snapshots are merged.
 */
export function rateLimitsFromHeaders(headers: ResponseHeaders): RateLimitSnapshot[] {
  const credits = creditsFromHeaders(headers);
  const snapshots = [snapshotFromHeaders(headers, DEFAULT_LIMIT, credits)];
  for (const name of Object.keys(headers)) {
    const limitId = FAMILY.exec(name)?.[1]?.replaceAll('-', '_');
    if (limitId === undefined || limitId === DEFAULT_LIMIT) continue;
    const snapshot = snapshotFromHeaders(headers, limitId, credits);
    if (snapshot.primary !== undefined || snapshot.secondary !== undefined) snapshots.push(snapshot);
  }
  return snapshots;
}

function snapshotFromHeaders(
  headers: ResponseHeaders,
  limitId: string,
  credits: RateLimitCredits | undefined,
): RateLimitSnapshot {
  const prefix = `x-${limitId.replaceAll('_', '-')}`;
  return {
    limitId,
    limitName: headerText(headers, `${prefix}-limit-name`),
    primary: windowFromHeaders(headers, `${prefix}-primary`),
    secondary: windowFromHeaders(headers, `${prefix}-secondary`),
    credits,
    planType: undefined,
  };
}

function windowFromHeaders(headers: ResponseHeaders, prefix: string): RateLimitWindow | undefined {
  const usedPercent = numberIn(headers, `${prefix}-used-percent`);
  if (usedPercent === undefined) return undefined;
  const windowMinutes = integerIn(headers, `${prefix}-window-minutes`);
  const resetsAtSeconds = integerIn(headers, `${prefix}-reset-at`);
  const empty = usedPercent === 0 && (windowMinutes ?? 0) === 0 && resetsAtSeconds === undefined;
  return empty ? undefined : { usedPercent, windowMinutes, resetsAtSeconds };
}

function creditsFromHeaders(headers: ResponseHeaders): RateLimitCredits | undefined {
  const hasCredits = booleanIn(headers, 'x-codex-credits-has-credits');
  const unlimited = booleanIn(headers, 'x-codex-credits-unlimited');
  if (hasCredits === undefined || unlimited === undefined) return undefined;
  return { hasCredits, unlimited, balance: headerText(headers, 'x-codex-credits-balance') };
}

function numberIn(headers: ResponseHeaders, name: string): number | undefined {
  const text = headerText(headers, name);
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function integerIn(headers: ResponseHeaders, name: string): number | undefined {
  const value = numberIn(headers, name);
  return Number.isInteger(value) ? value : undefined;
}

function booleanIn(headers: ResponseHeaders, name: string): boolean | undefined {
  switch (headerText(headers, name)?.toLowerCase()) {
    case 'true':
    case '1':
      return true;
    case 'false':
    case '0':
      return false;
    default:
      return undefined;
  }
}

/** A `codex.rate_limits` event; `undefined` when it can not be understood. */
export function rateLimitsFromEvent(event: JsonObject): RateLimitSnapshot | undefined {
  const limits = objectAt(event, 'rate_limits');
  const primary = windowFromEvent(limits, 'primary');
  const secondary = windowFromEvent(limits, 'secondary');
  if (primary === 'malformed' || secondary === 'malformed') return undefined;
  const name = stringAt(event, 'metered_limit_name') ?? stringAt(event, 'limit_name') ?? DEFAULT_LIMIT;
  return {
    limitId: name.toLowerCase().replaceAll('-', '_'),
    limitName: undefined,
    primary,
    secondary,
    credits: creditsFromEvent(objectAt(event, 'credits')),
    planType: stringAt(event, 'plan_type'),
  };
}

function windowFromEvent(limits: JsonObject | undefined, name: string): RateLimitWindow | 'malformed' | undefined {
  const raw = limits?.[name];
  if (limits === undefined || raw === undefined || raw === null) return undefined;
  const window = objectAt(limits, name);
  const usedPercent = window === undefined ? undefined : numberAt(window, 'used_percent');
  if (window === undefined || usedPercent === undefined) return 'malformed';
  return {
    usedPercent,
    windowMinutes: numberAt(window, 'window_minutes'),
    resetsAtSeconds: numberAt(window, 'reset_at'),
  };
}

function creditsFromEvent(raw: JsonObject | undefined): RateLimitCredits | undefined {
  const hasCredits = raw?.['has_credits'];
  const unlimited = raw?.['unlimited'];
  if (raw === undefined || typeof hasCredits !== 'boolean' || typeof unlimited !== 'boolean') return undefined;
  const balance = stringAt(raw, 'balance')?.trim();
  return { hasCredits, unlimited, balance: balance === '' ? undefined : balance };
}
