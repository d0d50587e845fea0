import type { JsonObject } from '@quire/protocol';
import { status } from './faults.ts';
import type { Limits, LimitWindow } from './side-information.ts';
import type { StatusAnswer } from './step.ts';

/** An answer of the usage endpoint. Source: transport sheet section 12.6. */
export function usageReport(limits: Limits & { readonly additional?: readonly Limits[] } = {}): StatusAnswer {
  const { credits, additional } = limits;
  return status(/* code */ 200, {
    body: {
      plan_type: limits.planType ?? 'pro',
      rate_limit: limitsToWire(limits),
      credits:
        credits === undefined
          ? null
          : { has_credits: credits.hasCredits, unlimited: credits.unlimited, balance: credits.balance ?? null },
      ...(additional === undefined
        ? {}
        : {
            additional_rate_limits: additional.map((extra) => ({
              limit_name: extra.limitName ?? null,
              metered_feature: extra.limitId ?? null,
              rate_limit: limitsToWire(extra),
            })),
          }),
    },
  });
}

function limitsToWire(limits: Limits): JsonObject | null {
  const { primary, secondary } = limits;
  if (primary === undefined && secondary === undefined) return null;
  const isReached = [primary, secondary].some((window) => (window?.usedPercent ?? 0) >= 100);
  return {
    allowed: !isReached,
    limit_reached: isReached,
    primary_window: windowToWire(primary),
    secondary_window: windowToWire(secondary),
  };
}

function windowToWire(window: LimitWindow | undefined): JsonObject | null {
  if (window === undefined) return null;
  return {
    used_percent: window.usedPercent,
    limit_window_seconds: (window.windowMinutes ?? 0) * 60,
    reset_after_seconds: 0,
    reset_at: window.resetAt ?? 0,
  };
}
