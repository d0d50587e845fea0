/**
 * What a response says beside its items: limits, the model that answers, the sticky turn state, timings, errors.
 * Source: transport sheet sections 7, 9.2, 11.4, 12, 13 and 18.
 */
import type { JsonObject } from '@quire/protocol';
import { event, eventPart, type Output, output } from './output.ts';
import type { Headers } from './step.ts';

export interface ErrorEventOptions {
  /** Absent: not sent, which clients ignore for most codes. */
  readonly status?: number;
  /** Values may be numbers and booleans too, as servers send them. */
  readonly headers?: JsonObject;
}

/** An `error` event, the WebSocket spelling of an HTTP error. It ends the response; over SSE clients ignore it. */
export function errorEvent(error: JsonObject | null, options: ErrorEventOptions = {}): Output {
  return output(
    () => [
      eventPart({
        type: 'error',
        ...(options.status === undefined ? {} : { status: options.status }),
        error,
        ...(options.headers === undefined ? {} : { headers: options.headers }),
      }),
    ],
    { isTerminal: true },
  );
}

/** The connection is older than the server allows; has no status. */
export function connectionLimitReached(): Output {
  return errorEvent({
    type: 'invalid_request_error',
    code: 'websocket_connection_limit_reached',
    message: 'This connection has reached its time limit. Open a new one to continue.',
  });
}

/** What the service answers when it does not know, or no longer knows, the named response. */
export function previousResponseNotFound(previousResponseId = 'resp_unknown'): Output {
  return errorEvent(
    {
      type: 'invalid_request_error',
      code: 'previous_response_not_found',
      message: `Previous response with id '${previousResponseId}' not found.`,
      param: 'previous_response_id',
    },
    { status: 400 },
  );
}

export interface LimitWindow {
  readonly usedPercent: number;
  readonly windowMinutes?: number;
  /** Unix time in seconds. */
  readonly resetAt?: number;
}

export interface LimitCredits {
  readonly hasCredits: boolean;
  readonly unlimited: boolean;
  readonly balance?: string;
}

export interface Limits {
  readonly primary?: LimitWindow;
  readonly secondary?: LimitWindow;
  readonly credits?: LimitCredits;
  /** The bucket; `codex` when absent. */
  readonly limitId?: string;
  /** Its display name. */
  readonly limitName?: string;
  /** Not part of the headers. */
  readonly planType?: string;
}

/** The WebSocket event that reports limits. */
export function rateLimits(limits: Limits): Output {
  const { credits, limitId, limitName, planType } = limits;
  return event({
    type: 'codex.rate_limits',
    ...(planType === undefined ? {} : { plan_type: planType }),
    rate_limits: { primary: windowToWire(limits.primary), secondary: windowToWire(limits.secondary) },
    ...(credits === undefined
      ? {}
      : {
          credits: {
            has_credits: credits.hasCredits,
            unlimited: credits.unlimited,
            balance: credits.balance ?? null,
          },
        }),
    ...(limitId === undefined ? {} : { metered_limit_name: limitId }),
    ...(limitName === undefined ? {} : { limit_name: limitName }),
  });
}

/** The headers that report limits, of one bucket. Spread several for several buckets. */
export function rateLimitHeaders(limits: Limits): Headers {
  const prefix = `x-${(limits.limitId ?? 'codex').replaceAll('_', '-')}`;
  const { credits } = limits;
  return {
    ...windowHeaders(`${prefix}-primary`, limits.primary),
    ...windowHeaders(`${prefix}-secondary`, limits.secondary),
    ...(limits.limitName === undefined ? {} : { [`${prefix}-limit-name`]: limits.limitName }),
    ...(credits === undefined
      ? {}
      : {
          'x-codex-credits-has-credits': String(credits.hasCredits),
          'x-codex-credits-unlimited': String(credits.unlimited),
          ...(credits.balance === undefined ? {} : { 'x-codex-credits-balance': credits.balance }),
        }),
  };
}

function windowToWire(window: LimitWindow | undefined): JsonObject | null {
  if (window === undefined) return null;
  return {
    used_percent: window.usedPercent,
    window_minutes: window.windowMinutes ?? null,
    reset_at: window.resetAt ?? null,
  };
}

function windowHeaders(prefix: string, window: LimitWindow | undefined): Headers {
  if (window === undefined) return {};
  return {
    [`${prefix}-used-percent`]: String(window.usedPercent),
    ...(window.windowMinutes === undefined ? {} : { [`${prefix}-window-minutes`]: String(window.windowMinutes) }),
    ...(window.resetAt === undefined ? {} : { [`${prefix}-reset-at`]: String(window.resetAt) }),
  };
}

/** A `response.metadata` event: headers that arrive inside the stream, and other data beside them. */
export function responseMetadata(fields: { readonly headers?: JsonObject; readonly metadata?: JsonObject }): Output {
  return event({ type: 'response.metadata', ...fields });
}

/** The sticky turn state as an event; as a header it is `x-codex-turn-state`. */
export function turnState(value: string): Output {
  return responseMetadata({ headers: { 'x-codex-turn-state': value } });
}

/** The model that really answers, announced from here on; `response` puts it inside the event's response object. */
export function serverModel(model: string, options: { readonly place?: 'event' | 'response' } = {}): Output {
  const headers = { 'openai-model': model };
  return options.place === 'response'
    ? event({ type: 'response.in_progress', response: { headers } })
    : event({ type: 'codex.response.metadata', headers });
}

/** The catalog's etag as an event; as a header it is `x-models-etag`. */
export function modelsEtag(etag: string): Output {
  return event({ type: 'codex.response.metadata', headers: { 'x-models-etag': etag } });
}

/** The server's timings, which clients ask for with a header of the handshake. */
export function websocketTiming(metrics: Readonly<Record<string, number>>): Output {
  return event({ type: 'responsesapi.websocket_timing', timing_metrics: metrics });
}
