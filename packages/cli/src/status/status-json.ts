import type { AccountLimit, AccountWindow } from '@quire/model-client';
import { describeLogin } from '../login/describe-login.ts';
import type { AccountReading } from './read-account.ts';

/** The account for programs: one line, with the names of the client protocol. No field holds a secret. */
export function statusJson(reading: AccountReading, notes: readonly string[]): string {
  const { snapshot, source, problem } = reading;
  const { loggedIn, authMode, email, accountId } = describeLogin(reading.login).facts;
  return JSON.stringify({
    loggedIn,
    authMode,
    email,
    accountId,
    plan: snapshot.planType ?? null,
    limits: snapshot.limits.map(limitJson),
    credits: snapshot.credits === undefined ? null : { ...snapshot.credits, balance: snapshot.credits.balance ?? null },
    source: source ?? null,
    ageSeconds: snapshot.ageMs === undefined ? null : Math.round(snapshot.ageMs / 1000),
    problem: problem ?? null,
    notes,
  });
}

function limitJson({ limitId, limitName, primary, secondary, ageMs }: AccountLimit): object {
  return {
    limitId,
    limitName: limitName ?? null,
    primary: windowJson(primary),
    secondary: windowJson(secondary),
    ageSeconds: ageMs === undefined ? null : Math.round(ageMs / 1000),
  };
}

/** What was used of a window that is over says nothing of the one now. */
function windowJson(window: AccountWindow | undefined): object | null {
  if (window === undefined) return null;
  const { usedPercent, windowMinutes, resetsAtSeconds, hasReset } = window;
  return {
    usedPercent: hasReset ? null : usedPercent,
    windowDurationMins: windowMinutes ?? null,
    resetsAt: resetsAtSeconds === undefined || resetsAtSeconds === 0 ? null : resetsAtSeconds,
    hasReset,
  };
}
