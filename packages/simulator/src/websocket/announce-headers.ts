import type { JsonObject } from '@quire/protocol';
import { eventPart } from '../script/output.ts';
import type { EventPart, Headers } from '../script/step.ts';

const METADATA: readonly string[] = ['openai-model', 'x-openai-model', 'x-models-etag'];
const WINDOW = /^x-(.+)-(primary|secondary)-used-percent$/;

/**
 * What a response's headers say, as the events that carry it over WebSocket: the turn state, the model and the
 * catalog's etag, the limits. Other headers have no event. Source: transport sheet sections 7, 12.3, 13 and 14.
 */
export function announceHeaders(given: Headers): readonly EventPart[] {
  const headers = Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  const turnState = headers['x-codex-turn-state'];
  const metadata = Object.fromEntries(
    METADATA.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
  return [
    ...(turnState === undefined
      ? []
      : [eventPart({ type: 'response.metadata', headers: { 'x-codex-turn-state': turnState } })]),
    ...(Object.keys(metadata).length === 0 ? [] : [eventPart({ type: 'codex.response.metadata', headers: metadata })]),
    ...[...bucketsOf(headers)].map((bucket) => limitsEvent(headers, bucket)),
  ];
}

/** Names between `x-` and the window, such as `codex`. */
function bucketsOf(headers: Headers): ReadonlySet<string> {
  return new Set(Object.keys(headers).flatMap((name) => WINDOW.exec(name)?.[1] ?? []));
}

function limitsEvent(headers: Headers, bucket: string): EventPart {
  const hasCredits = headers['x-codex-credits-has-credits'];
  const unlimited = headers['x-codex-credits-unlimited'];
  return eventPart({
    type: 'codex.rate_limits',
    rate_limits: {
      primary: windowOf(headers, `${bucket}-primary`),
      secondary: windowOf(headers, `${bucket}-secondary`),
    },
    ...(hasCredits === undefined || unlimited === undefined
      ? {}
      : {
          credits: {
            has_credits: hasCredits === 'true',
            unlimited: unlimited === 'true',
            balance: headers['x-codex-credits-balance'] ?? null,
          },
        }),
    ...(bucket === 'codex' ? {} : { metered_limit_name: bucket.replaceAll('-', '_') }),
  });
}

function windowOf(headers: Headers, name: string): JsonObject | null {
  const usedPercent = headers[`x-${name}-used-percent`];
  if (usedPercent === undefined) return null;
  const minutes = headers[`x-${name}-window-minutes`];
  const resetAt = headers[`x-${name}-reset-at`];
  return {
    used_percent: Number(usedPercent),
    window_minutes: minutes === undefined ? null : Number(minutes),
    reset_at: resetAt === undefined ? null : Number(resetAt),
  };
}
