import { isJsonObject, type ModelError, type ModelEvent, objectAt, stringAt } from '@quire/protocol';
import { rateLimitsFromHeaders } from '../events/rate-limits.ts';
import { headerText, type ResponseHeaders } from '../http/headers-in.ts';
import type { RateLimitStore } from './rate-limit-store.ts';

/** Puts what a 429 for a used-up allowance tells into the store, and gives its snapshots as events. */
export function noteUsageLimit(
  store: RateLimitStore,
  response: { readonly headers: ResponseHeaders; readonly bodyText: string },
  error: ModelError,
): ModelEvent[] {
  const { headers } = response;
  const limitId = (headerText(headers, 'x-codex-active-limit') ?? 'codex').toLowerCase().replaceAll('-', '_');
  const snapshots = rateLimitsFromHeaders(headers);
  for (const snapshot of snapshots) store.update(snapshot);
  const planType = planIn(response.bodyText);
  const known = store.get(limitId);
  store.update({
    limitId,
    limitName: known?.limitName,
    primary: undefined,
    secondary: undefined,
    credits: undefined,
    planType,
  });
  store.noteExhausted({ limitId, resetsAtSeconds: error.resetsAtSeconds });
  return snapshots.map((snapshot) => ({ kind: 'rate-limits', snapshot }));
}

function planIn(bodyText: string): string | undefined {
  try {
    const body: unknown = JSON.parse(bodyText);
    const error = isJsonObject(body) ? objectAt(body, 'error') : undefined;
    return error === undefined ? undefined : stringAt(error, 'plan_type');
  } catch {
    // The error was told apart by its JSON, but the text may have been cut.
    return undefined;
  }
}
