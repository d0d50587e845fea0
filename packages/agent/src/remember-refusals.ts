import { systemClock } from '@quire/host';
import type { AuthTags, ModelClientObserver, RecoveryReport } from '@quire/model-client';
import { type KnownValues, loadRefusals } from '@quire/store';
import { VERSION } from './version.ts';

/** Where a refusal is kept, and for whom. */
interface RefusalPlace {
  readonly home: string;
  readonly threadId: string;
  readonly providerId: string;
  /** Values that must not be written. */
  readonly secrets: KnownValues;
}

/**
 * Keeps what the last 401 said in the home folder, for `quire doctor --bundle`: from the refusal on, until credentials
 * work again. A thread without one does nothing here.
 */
export function rememberRefusals(place: RefusalPlace): ModelClientObserver {
  let refusal: RecoveryReport | undefined;
  return {
    authRecovery: (report) => {
      refusal = report;
    },
    authTags: (tags) => {
      if (refusal === undefined) return;
      keep(place, tags, refusal.reason);
      if (tags.auth_recovery_followup_success === 'true') refusal = undefined;
    },
  };
}

function keep(place: RefusalPlace, tags: AuthTags, reason: string | undefined): void {
  const { home, secrets, ...thread } = place;
  const record = { ...thread, atMs: systemClock.now(), clientVersion: VERSION, tags, reason };
  // Loading keeps the order of calls. A home that can not be written to is told by everything else that writes there.
  loadRefusals()
    .then(({ writeRefusal }) => writeRefusal(home, record, secrets))
    .catch(() => undefined);
}
