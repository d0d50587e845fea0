import { type JsonObject, ModelError, numberAt, stringAt, type TransportFailure } from '@quire/protocol';
import { headerText, type ResponseHeaders } from '../http/headers-in.ts';

interface UsageLimitContext {
  readonly nowMs: number;
  readonly requestId: string | undefined;
  readonly httpStatus: number;
  readonly transportFailure?: TransportFailure | undefined;
}

/** The account's allowance is used up. The message says for whom, until when, and what would help. */
export function usageLimitError(error: JsonObject, headers: ResponseHeaders, context: UsageLimitContext): ModelError {
  const inSeconds = numberAt(error, 'resets_in_seconds');
  const resetsAtSeconds =
    numberAt(error, 'resets_at') ??
    (inSeconds === undefined ? resetOfExhausted(headers) : Math.floor(context.nowMs / 1000) + inSeconds);
  const when =
    resetsAtSeconds === undefined
      ? 'try again later'
      : `try again at ${formatResetTime(resetsAtSeconds, context.nowMs)}`;
  return new ModelError('usage-limit-reached', `${subject(error, headers)}; ${when}.`, {
    retryable: false,
    resetsAtSeconds,
    requestId: context.requestId,
    httpStatus: context.httpStatus,
    transportFailure: context.transportFailure,
  });
}

/** Name of the limit that was hit and the way around it, most specific source first. */
function subject(error: JsonObject, headers: ResponseHeaders): string {
  const limitId = activeLimit(headers);
  const limitName = headerText(headers, `x-${limitId}-limit-name`) ?? limitId;
  if (limitName.toLowerCase() !== 'codex') {
    return `The usage limit for ${limitName} is reached: switch to another model`;
  }
  const promotion = headerText(headers, 'x-codex-promo-message');
  if (promotion !== undefined) return `The usage limit is reached. ${promotion.replace(/[\s.,;]+$/, '')}`;
  const remedy = planRemedy(stringAt(error, 'plan_type')?.toLowerCase());
  return remedy === undefined ? 'The usage limit is reached' : `The usage limit is reached: ${remedy}`;
}

/** The limit that was hit, as it is spelled in header names. */
function activeLimit(headers: ResponseHeaders): string {
  return (headerText(headers, 'x-codex-active-limit') ?? 'codex').toLowerCase().replaceAll('_', '-');
}

/** When the last of the windows opens again that the headers call used up. Unix seconds. */
function resetOfExhausted(headers: ResponseHeaders): number | undefined {
  const limitId = activeLimit(headers);
  const resets = ['primary', 'secondary'].flatMap((window) => {
    const prefix = `x-${limitId}-${window}`;
    const resetsAt = Number(headerText(headers, `${prefix}-reset-at`));
    const isUsedUp = Number(headerText(headers, `${prefix}-used-percent`)) >= 100;
    return isUsedUp && Number.isInteger(resetsAt) ? [resetsAt] : [];
  });
  return resets.length === 0 ? undefined : Math.max(...resets);
}

function planRemedy(plan: string | undefined): string | undefined {
  switch (plan) {
    case 'plus':
      return 'upgrade to Pro or buy credits';
    case 'pro':
      return 'buy credits';
    case 'free':
    case 'go':
      return 'upgrade to Plus';
    case 'team':
    case 'business':
    case 'self_serve_business_usage_based':
    case 'enterprise_cbp_usage_based':
      return 'ask an administrator of the workspace for more';
    default:
      return undefined;
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** Local time: `3:05 PM` on the same day, else `Feb 3rd, 2026 3:05 PM`. */
export function formatResetTime(unixSeconds: number, nowMs: number): string {
  const date = new Date(unixSeconds * 1000);
  const hour = date.getHours();
  const minutes = String(date.getMinutes()).padStart(2, '0');
  const time = `${hour % 12 === 0 ? 12 : hour % 12}:${minutes} ${hour < 12 ? 'AM' : 'PM'}`;
  if (date.toDateString() === new Date(nowMs).toDateString()) return time;
  const day = date.getDate();
  return `${MONTHS[date.getMonth()]} ${day}${ordinalSuffix(day)}, ${date.getFullYear()} ${time}`;
}

function ordinalSuffix(day: number): string {
  if (day >= 11 && day <= 13) return 'th';
  return ['th', 'st', 'nd', 'rd'][day % 10] ?? 'th';
}
